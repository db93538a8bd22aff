// Ids, base64url and chance: uniform, of one form, and repeatable where they must be.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBase64url, toBase64url } from '../../shared/core/base64url.ts'
import { constantTimeEqual } from '../../shared/core/hash.ts'
import { base32, idPattern, makeId } from '../../shared/core/ids.ts'
import { seededRandom, systemRandom } from '../../shared/core/random.ts'

test('an id fits its pattern and no other', () => {
  const id = makeId('ast', systemRandom)
  expect(id).toMatch(idPattern('ast'))
  expect(id).not.toMatch(idPattern('ten'))
  for (const wrong of [
    id.toUpperCase(),
    `${id}0`,
    id.slice(0, -1),
    id.replace('ast_', 'ast-'),
    `${id.slice(0, -1)}u`,
  ])
    expect(wrong).not.toMatch(idPattern('ast'))
})

test('every letter of base32 is as likely as the next', () => {
  const all = base32(Uint8Array.from({ length: 256 }, (_, n) => n))
  const counts = [...all].reduce(
    (map, letter) => map.set(letter, (map.get(letter) ?? 0) + 1),
    new Map<string, number>(),
  )
  expect(counts.size).toBe(32)
  expect(new Set(counts.values())).toEqual(new Set([8]))
})

test('base64url has one spelling of each value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(Buffer.from(fromBase64url(toBase64url(bytes)) ?? 'x').equals(Buffer.from(bytes))).toBe(true)
    }),
  )
  // 'AQ' is the byte 1; 'AR' to 'AX' decode to it too, in a careless reader.
  expect(fromBase64url('AQ')).toEqual(Buffer.from([1]))
  for (const other of ['AR', 'AQ==', 'AQ=', 'A+', 'A/', 'AQ\n', 'ÀQ'])
    expect(fromBase64url(other)).toBeUndefined()
})

test('seeded chance repeats itself, and only for its secret and scope', () => {
  const secret = new Uint8Array(32).fill(1)
  const draw = (key: Uint8Array, scope: string) => toBase64url(seededRandom(key, scope).bytes(100))
  expect(draw(secret, 'a')).toBe(draw(secret, 'a'))
  expect(draw(secret, 'a')).not.toBe(draw(secret, 'b'))
  expect(draw(secret, 'a')).not.toBe(draw(new Uint8Array(32).fill(2), 'a'))
  const parts = seededRandom(secret, 'a')
  const joined = Buffer.concat(Array.from({ length: 10 }, () => parts.bytes(10)))
  expect(toBase64url(joined)).toBe(draw(secret, 'a'))
})

test('comparison of secrets takes any lengths', () => {
  expect(constantTimeEqual('key', 'key')).toBe(true)
  expect(constantTimeEqual('key', 'kez')).toBe(false)
  expect(constantTimeEqual('key', 'key2')).toBe(false)
  expect(constantTimeEqual('', '')).toBe(true)
})
