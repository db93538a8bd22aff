// Which API keys a tenant's document holds: the living, and a bounded record of the retired.
import { expect, test } from 'vitest'
import type { KeyId } from '../../shared/core/ids.ts'
import { withoutOldestRetired } from '../../shared/tenants/api-key.ts'

const key = (n: number, retiredAt?: string) => ({
  id: `key_${n}` as KeyId,
  name: '',
  role: 'owner' as const,
  sha256: '',
  createdAt: '',
  ...(retiredAt ? { retiredAt } : {}),
})
const day = (n: number) => new Date(n * 86_400_000).toISOString()

test('a hundred retired keys stay, the oldest go, and none that lives', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => key(n, day(n)))
  expect(withoutOldestRetired([key(900), ...hundred])).toHaveLength(101)
  const more = [...hundred, key(100, day(100)), key(900), key(101, day(101))]
  const left = withoutOldestRetired(more).map(({ id }) => id)
  expect(left).toHaveLength(101)
  expect(left).toContain('key_900')
  expect([left.includes('key_0'), left.includes('key_1'), left.includes('key_2')]).toEqual([
    false,
    false,
    true,
  ])
})
