// When a title fails or goes while units work on it: they stop within seconds, and nothing is written after the cleaning.
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { removed } from '../../shared/assets/machine.ts'
import type { Asset } from '../../shared/assets/model.ts'
import { createEncode } from '../../shared/encode/index.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, encodeFilm, greyFrames, lavfi, longFilm, plainH264 } from './film.ts'
import { assetId, endsOf, setStage, target, tenantId, whenAtWork } from './stage.ts'

const film = longFilm()
const small = draw([...lavfi(greyFrames('25', 13), beeps(13)), ...plainH264])

async function start(bytes: Uint8Array) {
  const stage = setStage(bytes, { chunkSegments: 8 })
  const encode = createEncode(stage.parts)
  const prepared = (await encode.prepare(target)) as Outcome<Prepared>
  if (!prepared.ok) throw new Error(prepared.code)
  return { stage, encode, prepared, planned: { ...target, plan: prepared.plan } }
}

test('a unit that fails stops the others, and cleaning leaves nothing to come', async () => {
  const { stage, encode, planned } = await start(film)
  const ends = endsOf(stage.parts)
  const atWork = whenAtWork(stage.parts, 2)
  const running = [encode.chunk({ ...planned, chunk: 1 }), encode.chunk({ ...planned, chunk: 2 })]
  await atWork
  await encode.fail({ ...target, code: 'source-changed' })
  const outcomes = await Promise.all(running)
  expect(ends).toEqual(['stopped', 'stopped'])
  // Whichever it meets first: the title's state, or the source that is gone.
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({
      ok: false,
      code: expect.stringMatching(/^(asset-failed|source-changed)$/),
    })
  expect(stage.asset()).toMatchObject({ state: 'failed', error: { code: 'source-changed' } })
  await wait(300)
  expect([...stage.media.keys(), ...stage.files.keys()]).toEqual([])
  for (const activity of ['audio', 'poster', 'finish'] as const)
    expect(await encode[activity](planned)).toMatchObject({ ok: false, code: 'asset-failed' })
  expect([...stage.media.keys()]).toEqual([])
})

test('a source that changes while it is read fails the title with source-changed', async () => {
  const { stage, encode, planned } = await start(film)
  stage.files.set(`${tenantId}/${assetId}/source`, Buffer.from('another'))
  expect(await encode.chunk({ ...planned, chunk: 2 })).toMatchObject({ ok: false, code: 'source-changed' })
  expect(stage.asset()).toMatchObject({ state: 'failed', error: { code: 'source-changed' } })
})

test('a source that changed after all was read is noticed at the end', async () => {
  const { stage, encode, prepared, planned } = await start(small)
  for (let chunk = 0; chunk < prepared.chunks; chunk++)
    expect(await encode.chunk({ ...planned, chunk })).toEqual({ ok: true })
  expect(await encode.audio(planned)).toEqual({ ok: true })
  stage.files.set(`${tenantId}/${assetId}/source`, Buffer.from('another'))
  expect(await encode.finish(planned)).toMatchObject({ ok: false, code: 'source-changed' })
})

test('a store that is away is nobody’s fault: thrown, tried again, done', async () => {
  const { stage, encode, planned } = await start(small)
  const read = stage.parts.sources.read
  let away = true
  Object.assign(stage.parts.sources, {
    read: (...args: Parameters<typeof read>) => (away ? Promise.reject(new Error('away')) : read(...args)),
  })
  const fresh = createEncode({ ...stage.parts, ffmpeg: setStage(small).parts.ffmpeg })
  await expect(fresh.chunk({ ...planned, chunk: 0 })).rejects.toThrow('away')
  expect(stage.asset()?.state).toBe('encoding')
  away = false
  expect(await encode.chunk({ ...planned, chunk: 0 })).toEqual({ ok: true })
})

test('a unit that takes too long ends its title', async () => {
  const { stage, planned } = await start(film)
  const encode = createEncode({ ...stage.parts, limits: { ...stage.parts.limits, unitMs: 300 } })
  expect(await encode.chunk({ ...planned, chunk: 2 })).toMatchObject({ ok: false, code: 'encode-too-slow' })
})

test('a checksum is held against the file', async () => {
  const { createHash } = await import('node:crypto')
  const { stage, encode, planned } = await start(small)
  const asset = stage.asset() as Asset
  const right = createHash('sha256').update(small).digest('hex')
  for (const [sha256, expected] of [
    [right, { ok: true }],
    [right.toUpperCase(), { ok: true }],
    ['0'.repeat(64), { ok: false, code: 'checksum-mismatch' }],
  ] as const) {
    stage.setAsset({ ...asset, source: { ...asset.source, sha256 } })
    expect(await encode.verify(planned)).toMatchObject(expected)
  }
})

test('deleting a ready title takes all of it, its document too; a ready one is never cleaned by mistake', async () => {
  const { stage, encode } = await encodeFilm(small, 4, { withPoster: true, withImages: true })
  const before = stage.media.size
  expect(await encode.fail({ ...target, code: 'encode-failed' })).toEqual({ ok: true })
  expect([stage.asset()?.state, stage.media.size]).toEqual(['ready', before])
  stage.setAsset(removed(stage.asset() as Asset, 1) as Asset)
  await encode.fail(target)
  expect([stage.asset(), stage.media.size, stage.units.size, stage.files.size]).toEqual([undefined, 0, 0, 0])
})

test('a unit whose worker died after its last write only publishes when it is repeated', async () => {
  const { stage, encode, planned } = await start(small)
  expect(await encode.audio(planned)).toEqual({ ok: true })
  expect(await encode.chunk({ ...planned, chunk: 0 })).toEqual({ ok: true })
  const asset = stage.asset() as Asset
  expect(asset.timeline).toMatch(/timeline-1\.json$/)
  const { timeline: _lost, ...before } = asset
  stage.setAsset(before)
  const idle = createEncode({
    ...stage.parts,
    ffmpeg: { ...stage.parts.ffmpeg, run: () => Promise.reject(new Error('not again')) },
  })
  expect(await idle.chunk({ ...planned, chunk: 0 })).toEqual({ ok: true })
  expect(stage.asset()?.timeline).toBe(asset.timeline)
  expect(await idle.audio(planned)).toEqual({ ok: true })
  await expect(idle.chunk({ ...planned, chunk: 1 })).rejects.toThrow('not again')
})

test('a unit that is repeated late, when its title is ready, takes nothing away', async () => {
  const { stage, encode, outcome } = await encodeFilm(small, 4, { withPoster: true, withImages: true })
  const before = [...stage.media.keys()]
  const planned = { ...target, plan: outcome.ok ? outcome.plan : '' }
  for (const late of [
    encode.chunk({ ...planned, chunk: 0 }),
    encode.audio(planned),
    encode.poster(planned),
    encode.prepare(target),
  ])
    expect(await late).toMatchObject({ ok: false, code: 'asset-failed' })
  expect(await encode.finish(planned)).toEqual({ ok: true })
  expect([...stage.media.keys()]).toEqual(before)
  expect(stage.asset()?.state).toBe('ready')
})

test('a plan that another version of the application made is nobody’s fault: the next version begins', async () => {
  const { stage, encode, planned } = await start(small)
  const former = JSON.parse(Buffer.from(stage.media.get(planned.plan) ?? []).toString())
  stage.media.set(planned.plan, Buffer.from(JSON.stringify({ ...former, schema: 1 })))
  expect(await encode.chunk({ ...planned, chunk: 0 })).toMatchObject({ ok: false, code: 'encode-outdated' })
  expect(stage.asset()?.state).toBe('encoding')
  // An encode that was begun under another plan, whose orchestration was started anew.
  stage.media.delete(planned.plan)
  stage.setAsset({ ...(stage.asset() as Asset), plan: 'a plan of before' })
  expect(await encode.prepare(target)).toMatchObject({ ok: false, code: 'encode-outdated' })
  expect(await encode.renew(target)).toEqual({ ok: true })
  expect(stage.asset()).toMatchObject({ state: 'encoding', version: 2, progress: { stage: 'queued' } })
})

test('inputs are parsed at the edge', async () => {
  const { encode } = await start(small)
  await expect(encode.chunk({ ...target, chunk: 0 })).rejects.toThrow()
  await expect(encode.prepare({ ...target, tenantId: 'ten_x' })).rejects.toThrow()
})
