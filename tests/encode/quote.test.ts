// The price before the work: the very plan that the encode will follow, by the operator's table, of the file that was looked at.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import sample from '../../local.settings.sample.json' with { type: 'json' }
import type { Asset } from '../../shared/assets/model.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { pricesOf } from '../../shared/config/prices.ts'
import { createEncode } from '../../shared/encode/index.ts'
import { quoteAsset } from '../../shared/encode/orchestrate.ts'
import { Plan } from '../../shared/encode/plan.ts'
import { priceOf } from '../../shared/encode/price.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, greyFrames, lavfi, plainH264 } from './film.ts'
import { play } from './pump.ts'
import { assetId, setStage, target, tenantId } from './stage.ts'

const film = draw([...lavfi(greyFrames('25', 9, '640x360'), beeps(9)), ...plainH264])
const mute = draw([...lavfi(greyFrames('25', 3)), ...plainH264])

/** Uploaded, and not completed. */
function setUp(bytes: Uint8Array) {
  const stage = setStage(bytes)
  const { etag: _, ...source } = (stage.asset() as Asset).source
  stage.setAsset({ ...(stage.asset() as Asset), state: 'uploading', source })
  const encode = createEncode(stage.parts)
  const put = (next: Uint8Array) => stage.files.set(source.blob, next)
  return {
    stage,
    encode,
    put,
    ask: () => encode.quotes.ask(tenantId, assetId),
    read: () => encode.quotes.read(tenantId, assetId),
  }
}

test('a quote is what the encode comes to, and costs and leaves nothing', async () => {
  const { stage, encode, ask, read } = setUp(film)
  let charged = 0
  Object.assign(stage.parts, { charge: async () => void charged++ })
  const { state, ...asked } = await ask()
  expect([state, await read()]).toEqual(['probing', { assetId, state: 'probing' }])
  expect(await encode.quote(asked)).toEqual({ ok: true })
  const quote = await read()
  expect(quote).toMatchObject({
    state: 'ready',
    encodedMinutes: 0.16,
    renditions: [
      { name: 'v360', kind: 'video', width: 640, height: 360 },
      { name: 'v240', kind: 'video' },
      { name: 'audio', kind: 'audio' },
    ],
    cost: { currency: 'EUR', amount: 0.000_336 },
  })
  expect(quote.cost?.lines.map(({ amount }) => amount)).toEqual([0.000_16, 0.000_16, 0.000_016])
  expect([charged, stage.media.size, stage.units.size]).toEqual([0, 0, 0])
  // Asked and looked at again, it is the same one.
  expect(await ask()).toEqual({ ...asked, state: 'ready' })
  expect(await encode.quote(asked)).toEqual({ ok: true })
  expect(await read()).toEqual(quote)

  const { etag } = asked
  stage.setAsset({
    ...(stage.asset() as Asset),
    state: 'encoding',
    source: { ...(stage.asset() as Asset).source, etag },
  })
  const prepared = (await encode.prepare(target)) as Outcome<Prepared>
  if (!prepared.ok) throw new Error(prepared.code)
  const plan = Plan.parse(JSON.parse(Buffer.from(stage.media.get(prepared.plan) ?? '').toString()))
  expect(plan.renditions.map(({ name }) => name)).toEqual(['v360', 'v240'])
  expect(await read()).toEqual(quote)
  await expect(ask()).rejects.toMatchObject({ code: 'upload-closed' })
})

test('another file makes it void, also while it is looked at', async () => {
  const { stage, encode, put, ask, read } = setUp(film)
  await expect(read()).rejects.toMatchObject({ code: 'not-found' })
  const first = await ask()
  const other = Buffer.concat([film.subarray(0, -1), Buffer.from('x')])
  put(other)
  expect(await encode.quote(first)).toEqual({ ok: true })
  expect(stage.asset()?.quote).toMatchObject({ state: 'failed', error: { code: 'source-changed' } })
  await expect(read()).rejects.toMatchObject({ code: 'source-changed' })
  const second = await ask()
  expect(second.etag).not.toBe(first.etag)
  // What was begun for the first file comes late.
  expect(await encode.quote(first)).toEqual({ ok: true })
  expect((await read()).state).toBe('probing')
  expect(await encode.quote(second)).toEqual({ ok: true })
  expect((await read()).state).toBe('ready')
})

test('what can not be encoded is said in the words of the encode, and the title is not blamed', async () => {
  const { stage, encode, put, ask, read } = setUp(Buffer.from('#EXTM3U\n'))
  const asked = await ask()
  expect(await encode.quote(asked)).toEqual({ ok: true })
  expect(await read()).toMatchObject({ state: 'failed', error: { code: 'source-not-allowed' } })
  expect(stage.asset()?.state).toBe('uploading')
  // One that failed is begun again when it is asked for.
  expect((await ask()).state).toBe('probing')
  expect(await encode.quote({ ...asked, code: 'unavailable' })).toEqual({ ok: true })
  expect(await read()).toMatchObject({ state: 'failed', error: { code: 'unavailable' } })
  put(Buffer.from('short'))
  await expect(ask()).rejects.toMatchObject({ code: 'upload-size-mismatch' })
  stage.files.clear()
  await expect(ask()).rejects.toMatchObject({ code: 'upload-incomplete' })
  stage.setAsset({ ...(stage.asset() as Asset), deletedAt: '2026-01-01T00:00:00.000Z' })
  await expect(ask()).rejects.toMatchObject({ code: 'not-found' })
})

test('a store that stays away is said too, and does not look for ever', () => {
  const input = { tenantId, assetId, etag: 'e' }
  const { outcome, calls } = play(
    quoteAsset,
    { 'encode-quote-probe': ({ code }) => (code ? { ok: true } : new Error('away')) },
    { input },
  )
  expect(outcome).toEqual({ ok: true })
  expect(calls.map((call) => call.input['code'])).toEqual([undefined, 'unavailable'])
})

describe('the price', async () => {
  const stage = setStage(mute)
  const prepared = (await createEncode(stage.parts).prepare(target)) as Outcome<Prepared>
  const blob = prepared.ok ? stage.media.get(prepared.plan) : undefined
  const plan = Plan.parse(JSON.parse(Buffer.from(blob ?? '').toString()))
  const table = { currency: 'USD', ...pricesOf('1080=0.008,480=0.002,2160=0.03,audio=0.0005') }
  const speed = { pixelsPerSecond: 1e6, units: 1 }
  const sized = (sides: Array<[number, number]>, frames = plan.video.frames): Plan => ({
    ...plan,
    video: { ...plan.video, frames },
    renditions: sides.map(([width, height]) => ({
      ...{ name: `v${height}`, width, height, profile: 'high', maxrateKbps: 1 },
    })),
  })

  test('goes by the shorter side: the first that is not smaller, beyond all the last', () => {
    const sides: Array<[number, number]> = [
      [640, 480],
      [480, 640],
      [854, 482],
      [1080, 1920],
      [3840, 1606],
      [7680, 4320],
    ]
    const { cost, renditions } = priceOf(sized(sides), { table, speed })
    expect(cost.lines.map(({ pricePerMinute }) => pricePerMinute)).toEqual([
      0.002, 0.002, 0.008, 0.008, 0.03, 0.03,
    ])
    expect(renditions.every(({ kind }) => kind === 'video')).toBe(true)
  })

  test('adds up to the millionth, and grows with the film', () => {
    fc.assert(
      fc.property(fc.integer({ min: 25, max: 25 * 20_000 }), (frames) => {
        const of = (count: number) =>
          priceOf(
            sized(
              [
                [1920, 1080],
                [854, 480],
              ],
              count,
            ),
            { table, speed },
          )
        const [short, long] = [of(frames), of(frames + 250)]
        const micros = short.cost.lines.map(({ amount }) => Math.round(amount * 1e6))
        expect(Math.round(short.cost.amount * 1e6)).toBe(micros.reduce((sum, one) => sum + one, 0))
        expect(long.cost.amount).toBeGreaterThan(short.cost.amount)
        expect(long.expectedSeconds).toBeGreaterThan(short.expectedSeconds)
        const shared = priceOf(
          sized(
            [
              [1920, 1080],
              [854, 480],
            ],
            frames,
          ),
          { table, speed: { ...speed, units: 4 } },
        )
        expect(shared.expectedSeconds).toBeLessThanOrEqual(short.expectedSeconds)
        expect(shared.cost).toEqual(short.cost)
      }),
    )
  })

  test('stands in the settings, and a table that can not be read is refused', () => {
    const env = { ...sample.Values, COSMOS_KEY: 'k', BLOB_KEY: 'k', ADMIN_KEY: 'k'.repeat(20) }
    expect(loadConfig({ ...env, ENCODE_PRICES: '720=1.5,480=0.000001,audio=0' }).prices.table).toEqual({
      currency: 'EUR',
      video: [
        { upTo: 480, micros: 1 },
        { upTo: 720, micros: 1_500_000 },
      ],
      audioMicros: 0,
    })
    for (const wrong of ['720', '720=x,audio=1', 'audio=1', '720=-1,audio=1', '720=1', '720=1;audio=1'])
      expect(() => loadConfig({ ...env, ENCODE_PRICES: wrong }), wrong).toThrow('ENCODE_PRICES')
  })
})
