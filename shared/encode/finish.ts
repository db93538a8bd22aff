// How an encode ends: ready with its last timeline, failed with nothing but its error, or renewed under another ffmpeg.
import { cleaned, finished, nextCleaned, progressed, renewed } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import { encodeOf, latestVersion } from '../assets/next.ts'
import { isoTime } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { cleanVersion, takeBack } from './clean.ts'
import type { EncodeDeps } from './deps.ts'
import { storyboardOf } from './images.ts'
import type { EncodeTarget } from './ports.ts'
import { writeTimeline } from './publish.ts'
import { formerOf } from './retire.ts'
import { shownRenditions } from './timeline.ts'
import { readPlan } from './unit.ts'
import { addUp, jobOf } from './units.ts'
import { failTitle, settle } from './watch.ts'
import type { FailTarget, Finished, Outcome, PlannedTarget } from './work.ts'

export async function finish(deps: EncodeDeps, input: PlannedTarget): Promise<Outcome<Finished>> {
  const { tenantId, assetId, version } = input
  const now = await deps.assets.get(tenantId, assetId)
  if (now?.state === 'ready' && now.version === version) return { ok: true, ...formerOf(now) }
  return settle(deps, input, async () => {
    const plan = await readPlan(deps, input)
    const finishing = { version, percent: 99, stage: 'finishing' } as const
    await deps.assets.update(tenantId, assetId, (asset) => progressed(asset, finishing, deps.clock.now()))
    const progress = addUp(plan, await deps.units.list(jobOf(input)))
    if (!progress.videoDone || !progress.audioDone)
      throw new Error('encode-finish came before all units were done')
    if (progress.frames !== plan.video.frames)
      throw new Problem('encode-failed', {
        detail: `${progress.frames} frames of ${plan.video.frames} were made.`,
      })
    // A source that was small enough to be read early is asked for once more: what is kept must be what was encoded.
    const source = await deps.sources.facts(plan.source.blob)
    if (source?.etag !== plan.source.etag) throw new Problem('source-changed')
    const storyboard = await storyboardOf(deps, input, plan)
    const whole = { target: input, plan, progress, storyboard }
    const { blob, timeline } = await writeTimeline(deps, whole, undefined)
    const { durationSeconds, poster } = timeline
    const renditions = shownRenditions(timeline)
    // What a late repetition may have offered once more.
    await deps.offers.removeJob(jobOf(input))
    const formerUntil = isoTime(deps.clock.now() + deps.limits.retentionMs)
    const facts = { version, timeline: blob, durationSeconds, renditions, poster, formerUntil }
    const ready = await deps.assets.update(tenantId, assetId, (asset) =>
      finished(asset, facts, deps.clock.now()),
    )
    deps.log('info', 'encode.ready', { assetId, version, seconds: durationSeconds })
    return { ok: true, ...formerOf(ready) }
  })
}

/** Only the asset's document with its error stays, or the version that plays; a title that its tenant deleted goes altogether. */
export async function fail(deps: EncodeDeps, input: FailTarget): Promise<{ ok: true }> {
  const { tenantId, assetId, code, detail } = input
  if (code) await failTitle(deps, input, { code, detail })
  const asset = await deps.assets.get(tenantId, assetId)
  await takeBack(deps, input)
  if (asset && asset.state !== 'failed') {
    const { version } = input
    await deps.assets.update(tenantId, assetId, (title) => nextCleaned(title, { version }, deps.clock.now()))
    return { ok: true }
  }
  if (asset?.deletedAt) await deps.assets.remove(tenantId, assetId)
  else if (asset) await deps.assets.update(tenantId, assetId, (current) => cleaned(current, deps.clock.now()))
  deps.log('info', 'encode.cleaned', { assetId, code: asset?.error?.code })
  return { ok: true }
}

/** Another ffmpeg stands where the plan's own stood: the next version begins from the source. Repeatable. */
export async function renew(deps: EncodeDeps, target: EncodeTarget): Promise<{ ok: true }> {
  const { tenantId, assetId, version } = target
  await deps.assets.update(tenantId, assetId, (asset) => renewed(asset, { version }, deps.clock.now()))
  await cleanVersion(deps, target)
  deps.log('warn', 'encode.renewed', { assetId, version: version + 1 })
  return { ok: true }
}

const lostMs = 60_000
const uncleanedMs = 15_000

/** Titles whose orchestration may be lost, and failed ones that still have something left; each as its encode sees it. */
export async function findLost(deps: EncodeDeps): Promise<Asset[]> {
  const before = (ms: number) => isoTime(deps.clock.now() - ms)
  const [encoding, next, uncleaned] = await Promise.all([
    deps.assets.findStale({ state: 'encoding', updatedBefore: before(lostMs) }),
    deps.assets.findStale({ state: 'ready', updatedBefore: before(lostMs), next: true }),
    deps.assets.findStale({ state: 'failed', updatedBefore: before(uncleanedMs), uncleaned: true }),
  ])
  const version = latestVersion
  return [
    ...encoding,
    ...next.map((asset) => ({ ...encodeOf(asset, version(asset)), version: version(asset) })),
    ...uncleaned,
  ]
}
