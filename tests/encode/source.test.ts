// The loopback source: exact ranges, one ETag, no more read than was asked for, and an index that is read once.
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { SourceStore } from '../../shared/assets/ports.ts'
import { Problem } from '../../shared/core/problem.ts'
import { systemRandom } from '../../shared/core/random.ts'
import type { OpenedSource } from '../../shared/encode/ports.ts'
import { createSourceCache, openSource, parseRange } from '../../shared/media/source.ts'

const bytes = Buffer.from(Array.from({ length: 5_000_000 }, (_, n) => (n * 31 + (n >> 8)) & 255))
const opened: OpenedSource[] = []
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close()
})

function createStore() {
  const store = { etag: 'a', reads: 0, broken: false }
  const port = {
    read: async (_blob: string, { offset, count, etag }: { offset: number; count: number; etag: string }) => {
      store.reads++
      if (store.broken) throw new Error('the store is away')
      if (etag !== store.etag) throw new Problem('source-changed')
      return bytes.subarray(offset, offset + count)
    },
  } as unknown as SourceStore
  return { store, port }
}

async function open(port: SourceStore, cache = createSourceCache()): Promise<OpenedSource> {
  const source = await openSource(
    { blob: 'b', etag: 'a', sizeBytes: bytes.length },
    { store: port, cache, random: systemRandom },
  )
  opened.push(source)
  return source
}

const ask = (url: string, range?: string) => fetch(url, range ? { headers: { range } } : {})

describe('ranges', () => {
  test('are answered exactly, across blocks and to the end', async () => {
    const { url, read } = await open(createStore().port)
    for (const [from, to] of [
      [0, 0],
      [10, 99],
      [1_048_570, 1_048_580],
      [4_999_999, 4_999_999],
      [0, 4_999_999],
    ] as const) {
      const answer = await ask(url, `bytes=${from}-${to}`)
      expect(answer.status).toBe(206)
      expect(answer.headers.get('content-range')).toBe(`bytes ${from}-${to}/${bytes.length}`)
      expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), bytes.subarray(from, to + 1))).toBe(0)
      expect(Buffer.compare(await read(from, to + 1 - from), bytes.subarray(from, to + 1))).toBe(0)
    }
    expect((await ask(url, 'bytes=5000000-')).status).toBe(416)
  })

  test.each([
    [undefined, 10, [0, 10]],
    ['bytes=3-', 10, [3, 10]],
    ['bytes=3-5', 10, [3, 6]],
    ['bytes=3-99', 10, [3, 10]],
    ['bytes=10-', 10, undefined],
    ['bytes=-3', 10, undefined],
    ['bytes=5-3', 10, undefined],
    ['bytes=0-1,4-5', 10, undefined],
    [undefined, 0, undefined],
  ])('%s of %i', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected)
  })
})

test('only the nonce opens it', async () => {
  const { url } = await open(createStore().port)
  expect((await ask(url)).status).toBe(206)
  const other = new URL(url)
  other.pathname = `/${'0'.repeat(32)}`
  expect((await ask(other.href)).status).toBe(404)
  expect((await ask(new URL('/', url).href)).status).toBe(404)
  expect(new URL(url).hostname).toBe('127.0.0.1')
})

test('an open-ended range that nobody reads does not pull the film', async () => {
  const large = 400 << 20
  let reads = 0
  const port = {
    read: async (_: string, { count }: { count: number }) => {
      reads++
      return Buffer.alloc(count)
    },
  } as unknown as SourceStore
  const source = await openSource(
    { blob: 'b', etag: 'a', sizeBytes: large },
    { store: port, cache: createSourceCache(), random: systemRandom },
  )
  opened.push(source)
  const answer = await ask(source.url, 'bytes=0-')
  const reader = answer.body!.getReader()
  await reader.read()
  // Until the buffers on the way are full, which takes a slow machine its time.
  for (let before = -1; before !== reads; await wait(300)) before = reads
  expect(source.fetchedBytes()).toBeLessThan(16 << 20)
  await reader.cancel()
})

test('what is asked for twice stays, however much passes by', async () => {
  const { store, port } = createStore()
  const cache = createSourceCache()
  const source = await open(port, cache)
  await source.read(0, 100)
  await source.read(50, 100)
  const before = store.reads
  for (let n = 0; n < 60; n++) await cache.get(`other ${n}`, async () => new Uint8Array(1))
  const again = await open(port, cache)
  await again.read(10, 10)
  expect(store.reads).toBe(before)
  expect(again.fetchedBytes()).toBe(0)
})

test('concurrent asks for one block fetch it once', async () => {
  const { store, port } = createStore()
  const source = await open(port)
  await Promise.all(Array.from({ length: 20 }, (_, n) => source.read(n * 1000, 1000)))
  expect(store.reads).toBe(1)
})

test('a changed source surfaces as source-changed; a store that is away as what it said, and is asked again', async () => {
  const { store, port } = createStore()
  const cache = createSourceCache()
  const source = await open(port, cache)
  expect((await ask(source.url, 'bytes=0-9')).status).toBe(206)
  store.broken = true
  await expect(
    ask(source.url, 'bytes=2000000-2000009').then((answer) => answer.arrayBuffer()),
  ).rejects.toThrow()
  expect(source.failed.aborted).toBe(true)
  expect(String(source.failed.reason)).toContain('the store is away')
  store.broken = false
  const next = await open(port, cache)
  expect((await next.read(2_000_000, 10)).length).toBe(10)
  store.etag = 'b'
  await expect(next.read(4_000_000, 10)).rejects.toMatchObject({ code: 'source-changed' })
  expect(next.failed.reason).toMatchObject({ code: 'source-changed' })
})
