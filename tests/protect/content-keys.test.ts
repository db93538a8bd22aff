// Content keys: one for each rendition, the same for every retry and racer, and in clear nowhere but here.
import { describe, expect, test } from 'vitest'
import { createContentKeys } from '../../shared/protect/content-keys.ts'
import { assetId, countingKek, keyDocuments, settableClock, tenantId, testRandom } from './ports.ts'

const target = { tenantId, assetId, version: 1, generation: 0 }
const renditions = ['v1080', 'v720', 'v540', 'v360', 'v240', 'audio']

function setUp(keys = keyDocuments(), seed = 'one') {
  const { kek, count } = countingKek()
  const clock = settableClock()
  return {
    keys,
    count,
    clock,
    contentKeys: createContentKeys({ keys, kek, clock, random: testRandom(seed) }),
  }
}

describe('content keys', () => {
  test('each rendition has a key of its own, in one envelope that holds none of them in clear', async () => {
    const { keys, contentKeys } = setUp()
    const ids = await contentKeys.prepare(target, renditions)
    expect(Object.keys(ids)).toEqual(renditions)
    const clear = await Promise.all(Object.values(ids).map((id) => contentKeys.contentKey(target, id)))
    const hex = clear.map((key) => Buffer.from(key ?? []).toString('hex'))
    expect(new Set([...hex, ...Object.values(ids)]).size).toBe(12)
    expect(keys.all.size).toBe(1)
    const stored = JSON.stringify([...keys.all.values()])
    const wrapped = Buffer.from([...keys.all.values()][0]?.wrapped ?? '', 'base64')
    for (const key of clear) {
      expect(key).toHaveLength(16)
      expect(wrapped.includes(Buffer.from(key ?? wrapped))).toBe(false)
      expect(stored).not.toContain(Buffer.from(key ?? []).toString('hex'))
      expect(stored).not.toContain(
        Buffer.from(key ?? [])
          .toString('base64')
          .slice(0, 20),
      )
    }
  })

  test('retries and twelve racing processes get the same keys', async () => {
    const keys = keyDocuments()
    const processes = Array.from({ length: 12 }, (_, n) => setUp(keys, `process ${n}`).contentKeys)
    const ids = await Promise.all(processes.map((one) => one.prepare(target, renditions)))
    expect(new Set(ids.map((each) => JSON.stringify(each))).size).toBe(1)
    expect(await processes[0]?.prepare(target, renditions)).toEqual(ids[0])
    const seals = await Promise.all(processes.map((one) => one.open(target, 'plan')))
    const sealed = seals.map((seal) => seal({ rendition: 'v720', number: 3, bytes: Buffer.from('segment') }))
    expect(new Set(sealed.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1)
  })

  test('what was sealed is opened again, by its own key at its own place alone', async () => {
    const { contentKeys } = setUp()
    await contentKeys.prepare(target, renditions)
    const seal = await contentKeys.open(target, 'plan')
    const unseal = await contentKeys.unseal(target, 'plan')
    const place = { rendition: 'v240', number: 3 }
    const sealed = seal({ ...place, bytes: Buffer.from('a picture of the film') })
    expect(Buffer.from(unseal({ ...place, bytes: sealed })).toString()).toBe('a picture of the film')
    expect(() => unseal({ ...place, rendition: 'v360', bytes: sealed })).toThrow()
    expect(Buffer.from(unseal({ ...place, number: 4, bytes: sealed })).toString()).not.toContain('a picture')
  })

  test('versions have keys of their own, and other renditions for one version are a conflict', async () => {
    const { contentKeys } = setUp()
    const first = await contentKeys.prepare(target, ['v720', 'audio'])
    const second = await contentKeys.prepare({ ...target, version: 2 }, ['v720', 'audio'])
    expect(second).not.toEqual(first)
    expect(await contentKeys.contentKey(target, second['v720'] ?? '')).toBeUndefined()
    await expect(contentKeys.prepare(target, ['v1080'])).rejects.toMatchObject({ code: 'conflict' })
  })

  test('a generation has keys of its own, in an envelope of its own, and goes by itself', async () => {
    const { keys, contentKeys } = setUp()
    const next = { ...target, generation: 1 }
    expect(await contentKeys.keyIds(target)).toBeUndefined()
    const first = await contentKeys.prepare(target, ['v720', 'audio'])
    const second = await contentKeys.prepare(next, ['v720', 'audio'])
    expect([...keys.all.values()].map(({ id }) => id)).toEqual(['v1', 'v1.1'])
    expect(await contentKeys.keyIds(target)).toEqual(first)
    expect(await contentKeys.keyIds(next)).toEqual(second)
    expect(new Set([...Object.values(first), ...Object.values(second)]).size).toBe(4)
    const keyOf = async (of: typeof target, ids: Record<string, string>) =>
      Buffer.from((await contentKeys.contentKey(of, ids['v720'] ?? '')) ?? []).toString('hex')
    const [old, fresh] = [await keyOf(target, first), await keyOf(next, second)]
    expect([old.length, fresh.length, old === fresh]).toEqual([32, 32, false])
    // Neither is a key of the other.
    expect(await keyOf(target, second)).toBe('')
    await contentKeys.retire(target)
    expect([await keyOf(target, first), await keyOf(next, second)]).toEqual(['', fresh])
  })

  test('what is sealed anew opens to the same bytes with the new key alone', async () => {
    const { contentKeys } = setUp()
    const next = { ...target, generation: 1 }
    await contentKeys.prepare(target, ['v720', 'audio'])
    await contentKeys.prepare(next, ['v720', 'audio'])
    const place = { rendition: 'v720', number: 3 }
    const plain = Buffer.from('a segment of more than one block')
    const [before, after] = [await contentKeys.open(target, 'plan'), await contentKeys.open(next, 'plan')]
    const sealed = before({ ...place, bytes: plain })
    const reseal = await contentKeys.reseal(target, next, 'plan')
    expect(reseal({ ...place, bytes: sealed })).toEqual(after({ ...place, bytes: plain }))
    expect(reseal({ ...place, bytes: sealed })).not.toEqual(sealed)
    const wrong = [
      { ...place, rendition: 'v1080' },
      { ...place, bytes: sealed.subarray(0, 40) },
    ]
    for (const of of wrong) expect(() => reseal({ ...place, bytes: sealed, ...of })).toThrow()
  })

  test('clear keys are forgotten after five minutes and with their title', async () => {
    const { contentKeys, count, clock } = setUp()
    const { audio = '' } = await contentKeys.prepare(target, renditions)
    for (let n = 0; n < 10; n++) expect(await contentKeys.contentKey(target, audio)).toHaveLength(16)
    expect(count.unwrap).toBe(1)
    clock.advance(5 * 60_000)
    expect(await contentKeys.contentKey(target, audio)).toHaveLength(16)
    expect(count.unwrap).toBe(2)
    await contentKeys.forget(assetId)
    expect(await contentKeys.contentKey(target, audio)).toBeUndefined()
    const seal = await contentKeys.open(target, 'plan')
    expect(() => seal({ rendition: 'audio', number: 0, bytes: Buffer.from('segment') })).toThrow(
      'no content key',
    )
  })

  test('more keys than one RSA-OAEP envelope takes are refused, not cut', async () => {
    const { contentKeys } = setUp()
    const many = (count: number) => Array.from({ length: count }, (_, n) => `v${n}`)
    expect(Object.keys(await contentKeys.prepare(target, many(11)))).toHaveLength(11)
    await expect(contentKeys.prepare({ ...target, version: 2 }, many(12))).rejects.toThrow('do not fit')
  })
})
