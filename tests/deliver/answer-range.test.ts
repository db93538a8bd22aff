// Ranges through deliver: the bytes asked for, not one more read from Blob, and never more than the bound.
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { bytesOf, createStage, type Stage } from './stage.ts'
import { makeTimeline } from './timelines.ts'

const segment = makeTimeline().renditions[0]!.segments[1]!
const size = segment.sizeBytes
const path = 'v720/1.0/1.m4s'

let stage: Stage
beforeEach(async () => {
  stage = await createStage()
})

describe('a range', () => {
  test('is answered with exactly its bytes, and exactly those are read', async () => {
    const asked = fc.tuple(fc.nat(size - 1), fc.nat(size * 2))
    await fc.assert(
      fc.asyncProperty(asked, async ([first, length]) => {
        stage.reads.length = 0
        const last = Math.min(first + length, size - 1)
        const reply = await stage.ask(path, { range: `bytes=${first}-${first + length}` })
        expect(reply.status).toBe(206)
        expect(reply.headers).toMatchObject({
          'content-range': `bytes ${first}-${last}/${size}`,
          'content-length': String(last - first + 1),
          'accept-ranges': 'bytes',
        })
        expect(reply.body).toEqual(bytesOf(segment.blob, first, last - first + 1))
        expect(stage.reads).toEqual([{ blob: segment.blob, offset: first, count: last - first + 1 }])
      }),
      { numRuns: 300 },
    )
  })

  test.each(['v720/1.0/init.mp4', 'poster.jpg', 'audio/1.0/0.m4s'])('works for %s too', async (name) => {
    const reply = await stage.ask(name, { range: 'bytes=-10' })
    expect([reply.status, reply.body?.length]).toEqual([206, 10])
  })

  test('beyond the end is 416 with the size, and reads nothing', async () => {
    const reply = await stage.ask(path, { range: `bytes=${size}-` })
    expect(reply.status).toBe(416)
    expect(reply.headers).toMatchObject({
      'content-range': `bytes */${size}`,
      'content-type': 'application/problem+json',
    })
    expect(JSON.parse(Buffer.from(reply.body ?? []).toString()).code).toBe('range-not-satisfiable')
    expect(stage.reads).toEqual([])
  })

  test('is ignored by HEAD, by playlists and by keys', async () => {
    for (const [name, method] of [
      [path, 'HEAD'],
      ['master.m3u8', 'GET'],
      [`keys/${stage.keyIds['audio']}`, 'GET'],
    ] as const) {
      const plain = await stage.ask(name, {}, { method })
      expect(await stage.ask(name, { range: 'bytes=1-2' }, { method })).toEqual(plain)
      expect(await stage.ask(name, { range: 'bytes=99999999-' }, { method })).toEqual(plain)
      expect(plain.status).toBe(200)
    }
  })

  test('yields to conditions in the order of RFC 9110 13.2.2', async () => {
    const { headers } = await stage.ask(path, {}, { method: 'HEAD' })
    const etag = headers['etag']!
    const range = 'bytes=0-9'
    const statusOf = async (extra: Record<string, string>) =>
      (await stage.ask(path, { range, ...extra })).status
    expect(await statusOf({})).toBe(206)
    expect(await statusOf({ 'if-range': etag })).toBe(206)
    expect(await statusOf({ 'if-range': '"other"' })).toBe(200)
    expect(await statusOf({ 'if-range': `W/${etag}` })).toBe(200)
    expect(await statusOf({ 'if-range': 'Sat, 01 Jan 2000 00:00:00 GMT' })).toBe(200)
    expect(await statusOf({ 'if-range': '"other"', range: 'bytes=999999-' })).toBe(200)
    expect(await statusOf({ 'if-range': etag, range: 'bytes=999999-' })).toBe(416)
    expect(await statusOf({ 'if-none-match': etag })).toBe(304)
    expect(await statusOf({ 'if-none-match': etag, range: 'bytes=999999-' })).toBe(304)
    expect(await statusOf({ 'if-match': etag })).toBe(206)
    expect(await statusOf({ 'if-match': '"other"' })).toBe(412)
    expect(await statusOf({ 'if-match': '"other"', 'if-none-match': etag })).toBe(412)
  })
})

describe('the bound on one answer', () => {
  test('a range beyond it is answered in part, as RFC 9110 15.3.7 allows; the whole is refused by name', async () => {
    stage = await createStage({ answerMaxBytes: 1000 })
    const walked: Uint8Array[] = []
    for (let at = 0; at < size; ) {
      const reply = await stage.ask(path, { range: `bytes=${at}-` })
      expect(reply.status).toBe(206)
      expect(reply.body!.length).toBeLessThanOrEqual(1000)
      expect(reply.headers['content-range']).toBe(`bytes ${at}-${at + reply.body!.length - 1}/${size}`)
      walked.push(reply.body!)
      at += reply.body!.length
    }
    expect(Buffer.concat(walked)).toEqual(bytesOf(segment.blob, 0, size))
    expect(Math.max(...stage.reads.map(({ count }) => count))).toBe(1000)
    stage.reads.length = 0
    const whole = await stage.ask(path)
    expect(whole.status).toBe(413)
    expect(Buffer.from(whole.body ?? []).toString()).toContain('Range')
    expect(stage.reads).toEqual([])
  })

  test('exactly at the bound the whole is answered', async () => {
    stage = await createStage({ answerMaxBytes: size })
    expect((await stage.ask(path)).body).toHaveLength(size)
    stage = await createStage({ answerMaxBytes: size - 1 })
    expect((await stage.ask(path)).status).toBe(413)
  })
})

test('a store that gives fewer bytes than it promised starts no answer at all', async () => {
  const reads = [Buffer.alloc(5), Buffer.alloc(0), Buffer.alloc(11)]
  const { answerWith } = await import('../../shared/deliver/representation.ts')
  for (const bytes of reads) {
    const found = {
      contentType: 'video/mp4',
      sizeBytes: 10,
      headers: {},
      ranges: true,
      read: async () => bytes,
    }
    await expect(answerWith(found, { method: 'GET', header: () => null, maxBytes: 100 })).rejects.toThrow(
      'instead of 10',
    )
  }
})
