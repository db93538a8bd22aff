// Control of an encode by its real units: cancelled, they stop and leave nothing; a title that is encoded anew plays on.
import { expect, test } from 'vitest'
import { cancelled, reencoded, rekeyed, removed } from '../../shared/assets/machine.ts'
import type { Asset } from '../../shared/assets/model.ts'
import { createControl } from '../../shared/encode/control.ts'
import { createEncode, type Encode } from '../../shared/encode/index.ts'
import type { Finished, Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, greyFrames, lavfi, longFilm, plainH264 } from './film.ts'
import { assetId, endsOf, setStage, target, tenantId, whenAtWork } from './stage.ts'

const long = longFilm()
const small = draw([...lavfi(greyFrames('25', 7), beeps(7)), ...plainH264])
const nowMs = Date.now()

async function prepared(encode: Encode, version: number) {
  const outcome = (await encode.prepare({ ...target, version })) as Outcome<Prepared>
  if (!outcome.ok) throw new Error(outcome.code)
  return { outcome, planned: { ...target, version, plan: outcome.plan } }
}

/** As the orchestration does it, one after another. */
async function whole(encode: Encode, version = 1): Promise<Outcome<Finished>> {
  const { outcome, planned } = await prepared(encode, version)
  for (let chunk = 0; chunk < outcome.chunks; chunk++)
    expect(await encode.chunk({ ...planned, chunk })).toEqual({ ok: true })
  for (const unit of ['audio', 'poster'] as const) expect(await encode[unit](planned)).toEqual({ ok: true })
  return (await encode.finish(planned)) as Outcome<Finished>
}

function setUp(film: Uint8Array) {
  const stage = setStage(film, { chunkSegments: 8 })
  const retired: string[] = []
  const { retire } = stage.parts.sealer
  Object.assign(stage.parts.sealer, {
    retire: async (of: Parameters<typeof retire>[0]) => {
      retired.push(`v${of.version}.${of.generation ?? 0}`)
    },
  })
  const update = (change: (asset: Asset) => Asset | 'unchanged') =>
    stage.parts.assets.update(tenantId, assetId, change)
  const folder = (version: number) =>
    [...stage.media.keys()].filter((name) => name.startsWith(`${tenantId}/${assetId}/v${version}/`))
  return { stage, encode: createEncode(stage.parts), update, retired, folder }
}

test('a first encode that is cancelled stops in the middle, and nothing is left', async () => {
  const { stage, encode, update } = setUp(long)
  const { planned } = await prepared(encode, 1)
  const ends = endsOf(stage.parts)
  const atWork = whenAtWork(stage.parts)
  const running = [encode.chunk({ ...planned, chunk: 1 }), encode.audio(planned), encode.poster(planned)]
  await atWork
  await update((asset) => cancelled(asset, nowMs))
  for (const outcome of await Promise.all(running.slice(0, 1))) expect(outcome.ok).toBe(false)
  expect(ends).toEqual(['stopped'])
  await Promise.all(running)
  await encode.fail({ ...target })
  expect(stage.asset()).toMatchObject({ state: 'failed', error: { code: 'encode-cancelled' } })
  expect(stage.asset()?.cleanedAt).toBeDefined()
  expect([...stage.media.keys(), ...stage.files.keys(), ...stage.units.keys()]).toEqual([])
})

test('a title is encoded anew while it plays, and switches at once; the version before goes later', async () => {
  const { stage, encode, update, retired, folder } = setUp(small)
  expect(await whole(encode)).toEqual({ ok: true })
  const before = stage.asset() as Asset
  const of1 = folder(1)
  stage.history.splice(0)
  await update((asset) => reencoded(asset, nowMs))
  const end = await whole(encode, 2)
  if (!end.ok) throw new Error(end.code)
  for (const { version, timeline, state, renditions, next } of stage.history.slice(0, -1)) {
    expect({ version, timeline, state, renditions }).toEqual({
      version: 1,
      timeline: before.timeline,
      state: 'ready',
      renditions: before.renditions,
    })
    expect(next?.version).toBe(2)
  }
  expect(Math.max(...stage.history.map(({ next }) => next?.progress.percent ?? 0))).toBe(99)
  expect(stage.asset()).toMatchObject({
    state: 'ready',
    version: 2,
    former: [{ timeline: before.timeline, until: end.until }],
  })
  expect(folder(1)).toEqual(of1)
  // The same film by the same plan: the same files in another folder.
  expect(folder(2).filter((name) => name.endsWith('.m4s'))).toEqual(
    of1.filter((name) => name.endsWith('.m4s')).map((name) => name.replace('/v1/', '/v2/')),
  )
  // Whatever is repeated, nothing of either goes before its time.
  expect(await encode.finish({ ...target, version: 2, plan: stage.asset()?.plan ?? '' })).toEqual(end)
  await encode.fail({ ...target, version: 1, code: 'encode-failed' })
  await encode.retire({
    ...target,
    version: 2,
    until: new Date(Date.parse(end.until ?? '') - 1).toISOString(),
  })
  expect([folder(1).length, retired, stage.asset()?.state]).toEqual([of1.length, [], 'ready'])
  await encode.retire({ ...target, version: 2, until: end.until })
  expect([folder(1), retired, stage.asset()?.former]).toEqual([[], ['v1.0'], undefined])
  expect([...stage.units.values()].every(({ jobId }) => jobId.endsWith('-v2'))).toBe(true)
  expect(stage.files.size).toBe(1)
})

test('of a version whose keys were changed, all generations go, and only once the last of them may', async () => {
  const { stage, encode, update, retired } = setUp(small)
  await whole(encode)
  const from = stage.asset()?.timeline ?? ''
  const timeline = from.replace(/timeline-.*/, 'timeline-g1.json')
  const until = new Date(nowMs - 60_000).toISOString()
  await update((asset) => rekeyed(asset, { version: 1, from, timeline, until }, nowMs))
  await update((asset) => reencoded(asset, nowMs))
  const end = await whole(encode, 2)
  if (!end.ok) throw new Error(end.code)
  expect(stage.asset()?.former?.map((one) => one.timeline)).toEqual([from, timeline])
  expect(end.until).toBe(stage.asset()?.former?.[1]?.until)
  await encode.retire({ ...target, version: 2, until })
  expect(retired).toEqual([])
  await encode.retire({ ...target, version: 2, until: end.until })
  expect([retired, stage.asset()?.former]).toEqual([['v1.0', 'v1.1'], undefined])
})

test('cancelled, or failed, it leaves the title as it plays, and nothing of its own', async () => {
  const { stage, encode, update, retired, folder } = setUp(long)
  const ready = {
    ...(stage.asset() as Asset),
    state: 'ready' as const,
    timeline: `${tenantId}/${assetId}/v1/timeline-2.json`,
  }
  stage.setAsset(ready)
  stage.media.set(ready.timeline, Buffer.from('{}'))
  await update((asset) => reencoded(asset, nowMs))
  const { planned } = await prepared(encode, 2)
  const atWork = whenAtWork(stage.parts)
  const running = encode.chunk({ ...planned, chunk: 1 })
  await atWork
  expect(folder(2).length).toBeGreaterThan(0)
  await update((asset) => cancelled(asset, nowMs))
  expect(await running).toMatchObject({ ok: false, code: 'asset-failed' })
  // Whoever comes late.
  expect(await encode.audio(planned)).toMatchObject({ ok: false, code: 'asset-failed' })
  expect(await encode.fail({ ...target, version: 2 })).toEqual({ ok: true })
  expect([folder(2), [...stage.units.keys()], new Set(retired)]).toEqual([[], [], new Set(['v2.0'])])
  expect([folder(1), stage.files.size]).toEqual([[ready.timeline], 1])
  const { next, ...rest } = stage.asset() as Asset
  expect({ ...rest, updatedAt: '' }).toEqual({ ...ready, updatedAt: '' })
  expect(next).toMatchObject({ version: 2, error: { code: 'encode-cancelled' } })
  expect(next?.cleanedAt).toBeDefined()

  await update((asset) => reencoded(asset, nowMs))
  await prepared(encode, 3)
  expect(folder(3)).toHaveLength(1)
  await encode.fail({ ...target, version: 3, code: 'source-changed' })
  expect(folder(3)).toEqual([])
  expect(stage.asset()).toMatchObject({
    state: 'ready',
    next: { version: 3, error: { code: 'source-changed' } },
  })
  expect(folder(1)).toEqual([ready.timeline])
})

const other: typeof assetId = `ast_${'2'.repeat(20)}`

test('a title that is deleted while it is encoded anew goes with both versions', async () => {
  const { stage, encode, update } = setUp(long)
  stage.setAsset({ ...(stage.asset() as Asset), state: 'ready' })
  stage.media.set(`${tenantId}/${assetId}/v1/timeline-2.json`, Buffer.from('{}'))
  await update((asset) => reencoded(asset, nowMs))
  const { planned } = await prepared(encode, 2)
  const atWork = whenAtWork(stage.parts)
  const running = encode.chunk({ ...planned, chunk: 1 })
  await atWork
  const { lines } = stage.parts
  await lines.change(tenantId, () => ({ running: [other, assetId], waiting: [assetId] }))
  await update((asset) => removed(asset, nowMs))
  await encode.fail(target)
  expect(await lines.get(tenantId)).toEqual({ running: [other], waiting: [] })
  expect(await running).toMatchObject({ ok: false })
  expect([stage.asset(), [...stage.media.keys()], [...stage.files.keys()], [...stage.units.keys()]]).toEqual([
    undefined,
    [],
    [],
    [],
  ])
})

test('a title whose source is gone, or another, is not encoded anew', async () => {
  const { stage } = setUp(small)
  const control = createControl(stage.parts)
  stage.setAsset({ ...(stage.asset() as Asset), state: 'ready' })
  expect(await control.reencode(tenantId, assetId)).toMatchObject({ state: 'encoding', version: 2 })
  expect(await control.reencode(tenantId, assetId)).toMatchObject({ state: 'encoding', version: 2 })
  expect(await control.cancel(tenantId, assetId)).toMatchObject({ state: 'ready' })
  const blob = stage.asset()?.source.blob ?? ''
  stage.files.set(blob, Buffer.from('another'))
  await expect(control.reencode(tenantId, assetId)).rejects.toMatchObject({ code: 'source-changed' })
  stage.files.delete(blob)
  await expect(control.reencode(tenantId, assetId)).rejects.toMatchObject({ code: 'source-gone' })
})
