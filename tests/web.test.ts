// The console's rules that need no browser: blocks, patience, pace and words.
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { type Asset, createApi } from '../web/api.ts'
import { blockList, blockListUrl, blocksToSend, blockUrl, cutIntoBlocks } from '../web/blocks.ts'
import { createPace } from '../web/pace.ts'
import { backoffMs, patiently } from '../web/patience.ts'
import {
  bitrate,
  bytes,
  clockTime,
  detailWords,
  money,
  nextUnderWay,
  nextWords,
  qualityName,
  quoteWords,
  span,
  stateWords,
  timeLeft,
  titleOf,
} from '../web/wording.ts'

test('blocks cover the file once, in order, with ids of one length that are base64', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.integer({ min: 1 << 20, max: 100 << 20 }),
      (size, step) => {
        const blocks = cutIntoBlocks(size, step)
        expect(blocks.length).toBeLessThanOrEqual(50_000)
        expect(blocks[0]?.start).toBe(0)
        expect(blocks.at(-1)?.end).toBe(size)
        for (let i = 1; i < blocks.length; i += 1)
          if (blocks[i]!.start !== blocks[i - 1]!.end) throw new Error(`gap before ${i}`)
        expect(new Set(blocks.map(({ id }) => id)).size).toBe(blocks.length)
        expect(new Set(blocks.map(({ id }) => id.length)).size).toBe(1)
        expect(btoa(atob(blocks.at(-1)!.id))).toBe(blocks.at(-1)!.id)
      },
    ),
    { numRuns: 30 },
  )
})

test('only blocks that are missing or of another size are sent again', () => {
  const blocks = cutIntoBlocks(25, 10)
  const there = [
    { id: blocks[0]!.id, sizeBytes: 10 },
    { id: blocks[1]!.id, sizeBytes: 9 },
    { id: btoa('other1'), sizeBytes: 5 },
  ]
  expect(blocksToSend(blocks, there)).toEqual(blocks.slice(1))
  expect(blocksToSend(blocks, [])).toEqual(blocks)
  expect(
    blocksToSend(
      blocks,
      blocks.map(({ id, start, end }) => ({ id, sizeBytes: end - start })),
    ),
  ).toEqual([])
})

test('the URLs and the body are those of Put Block and Put Block List', () => {
  const id = btoa('000062')
  expect(blockUrl('http://s/c/b?sig=x', '+/==')).toBe('http://s/c/b?sig=x&comp=block&blockid=%2B%2F%3D%3D')
  expect(blockListUrl('http://s/c/b?sig=x')).toBe('http://s/c/b?sig=x&comp=blocklist')
  expect(blockList([{ id, start: 0, end: 1 }])).toBe(
    `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>${id}</Latest></BlockList>`,
  )
})

test('waits double up to half a minute and are never shorter than four fifths', () => {
  expect([0, 1, 2, 10].map((attempt) => backoffMs(attempt, 0))).toEqual([400, 800, 1600, 24_000])
  expect(backoffMs(10, 1)).toBe(30_000)
})

test('what may pass is tried again, what may not is told at once, and an abort ends the waiting', async () => {
  vi.useFakeTimers()
  try {
    let calls = 0
    const flaky = async () => {
      calls += 1
      if (calls < 4) throw new Error('busy')
      return calls
    }
    const asked = vi.fn(() => 3)
    const result = patiently(flaky, { passing: () => true, asked })
    await vi.runAllTimersAsync()
    await expect(result).resolves.toBe(4)
    expect(asked).toHaveBeenCalledTimes(3)

    const refused = vi.fn(async () => Promise.reject(new Error('no')))
    await expect(patiently(refused, { passing: () => false })).rejects.toThrow('no')
    expect(refused).toHaveBeenCalledTimes(1)

    const stop = new AbortController()
    const stopped = patiently(async () => Promise.reject(new Error('busy')), {
      passing: () => true,
      signal: stop.signal,
    })
    stopped.catch(() => {})
    await vi.advanceTimersByTimeAsync(100)
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  } finally {
    vi.useRealTimers()
  }
})

test('pace is that of the last ten seconds', () => {
  const pace = createPace()
  expect(pace(0, 0)).toBe(0)
  expect(pace(1000, 500)).toBe(500)
  for (let second = 2; second <= 30; second += 1) pace(second * 1000, 500 + (second - 1) * 2000)
  expect(pace(31_000, 60_500)).toBeCloseTo(2000, 0)
})

test('numbers read as people say them', () => {
  expect([0, 59.6, 61, 3600, 5403].map(clockTime)).toEqual(['0:00', '1:00', '1:01', '1:00:00', '1:30:03'])
  expect([2, 33, 600, 7300].map(timeLeft)).toEqual([
    'a few seconds left',
    'about 35 s left',
    'about 10 min left',
    'about 2 h left',
  ])
  expect([0, 999, 1500, 999_999, 123_456_789, 5e12].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.5 kB',
    '1000 kB',
    '123 MB',
    '5.0 TB',
  ])
  expect([900, 64_000, 2_345_000].map(bitrate)).toEqual(['1 kbit/s', '64 kbit/s', '2.3 Mbit/s'])
  expect([titleOf('My_film.final.mp4'), titleOf('.mp4'), titleOf('no suffix here')]).toEqual([
    'My film.final',
    '.mp4',
    'no suffix here',
  ])
  expect(
    [{ width: 1920, height: 1080 }, { width: 1080, height: 1920 }, { height: 360 }].map(qualityName),
  ).toEqual(['1080p', '1080p', '360p'])
})

test('each state has its words', () => {
  const asset: Asset = {
    id: 'ast_1',
    title: 'Film',
    fileName: 'film.mp4',
    state: 'encoding',
    progress: { percent: 42, stage: 'encoding', etaSeconds: 33 },
    durationSeconds: 12,
    renditions: [
      { name: 'v720', kind: 'video', width: 1280, height: 720 },
      { name: 'v360', kind: 'video', width: 640, height: 360 },
    ],
    playable: true,
    createdAt: '2026-01-01T00:00:00Z',
  }
  expect([stateWords(asset), detailWords(asset)]).toEqual([
    'Encoding · 42 %',
    'about 35 s left · playable already',
  ])
  const ready: Asset = { ...asset, state: 'ready', progress: { percent: 100, stage: 'done' } }
  expect([stateWords(ready), detailWords(ready)]).toEqual(['Ready', '720p, 360p · no sound · AES-128'])
  const failed: Asset = { ...asset, state: 'failed', progress: { percent: 3, stage: 'failed' } }
  expect([stateWords(failed), detailWords(failed)]).toEqual(['Failed', 'film.mp4'])
  const waiting: Asset = { ...asset, state: 'uploading', progress: { percent: 0, stage: 'uploading' } }
  expect(stateWords(waiting)).toBe('Upload unfinished')
  const waking: Asset = { ...asset, progress: { percent: 3, stage: 'waking-encoders' } }
  expect(stateWords(waking)).toBe('Waking encoders…')
})

test('a title that plays tells how its next version is, and what became of it', () => {
  const ready = { state: 'ready' } as Asset
  const next = (error?: { code: string; detail: string }): Asset => ({
    ...ready,
    nextVersion: {
      progress: { percent: 7, stage: 'encoding', etaSeconds: 60 },
      ...(error ? { error } : {}),
    },
  })
  const failed = next({ code: 'source-gone', detail: 'Its source is gone.' })
  const cancelled = next({ code: 'encode-cancelled', detail: 'Upload it again.' })
  expect([ready, next(), failed, cancelled].map(nextWords)).toEqual([
    '',
    'Next version: Encoding · 7 % · about 60 s left',
    'The next version failed, and this one plays on. Its source is gone.',
    'The next version was cancelled; this one plays on.',
  ])
  expect([ready, next(), failed, cancelled].map(nextUnderWay)).toEqual([false, true, false, false])
})

test('a price says for what', () => {
  const video = (height: number) => ({
    name: `v${height}`,
    kind: 'video' as const,
    width: height * 2,
    height,
  })
  expect(
    quoteWords({
      state: 'ready',
      renditions: [video(720), video(360), { name: 'audio', kind: 'audio' }],
      encodedMinutes: 92.5,
      expectedSeconds: 431,
      cost: { amount: 0.78625, currency: 'EUR' },
    }),
  ).toBe('1:32:30 · 720p, 360p · encoded in about 7 min')
  expect([0, 0.0034, 0.78625, 12.3456].map((amount) => money(amount, 'EUR'))).toEqual([
    '€0.00',
    '€0.0034',
    '€0.7863',
    '€12.35',
  ])
  expect([-5, 89_400, 90_000, 5_400_000, 200_000_000].map(span)).toEqual([
    '0 s',
    '89 s',
    '2 min',
    '2 h',
    '2 days',
  ])
})

test('a refusal says what is wrong with a field, and else what to do', async () => {
  const api = createApi('ten_a.key.secret', () => {})
  const ask = (body: object) => {
    vi.stubGlobal('fetch', async () => Response.json(body, { status: 400 }))
    return api.createUpload({ fileName: 'empty.mp4', sizeBytes: 0, title: 'empty' }, 'a key')
  }
  const refusal = { code: 'invalid-request', title: 'Not well formed', detail: 'Mend what `errors` lists.' }
  try {
    await expect(ask(refusal)).rejects.toThrow(refusal.detail)
    const errors = [{ pointer: '/sizeBytes', message: 'a file has at least one byte' }]
    await expect(ask({ ...refusal, errors })).rejects.toThrow('a file has at least one byte')
    await expect(ask({})).rejects.toThrow('The platform answered 400.')
  } finally {
    vi.unstubAllGlobals()
  }
})
