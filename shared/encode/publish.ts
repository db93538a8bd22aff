// When a title grows: what the units have made so far becomes its timeline, and the longest one is the current one.
import { published, timelineLength } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import type { Storyboard, Timeline } from '../assets/timeline.ts'
import { Problem } from '../core/problem.ts'
import { aacCodecs } from './aac.ts'
import type { EncodeDeps } from './deps.ts'
import { avcCodecs } from './mp4.ts'
import { audioRendition, iframeRendition, type Plan } from './plan.ts'
import type { EncodeTarget } from './ports.ts'
import { initBlob, makeTimeline, shownRenditions, type Track, timelineBlob } from './timeline.ts'
import { addUp, jobOf, type Progress, playableSegments } from './units.ts'

export const renditionNames = (plan: Plan): string[] => [
  ...plan.renditions.map(({ name }) => name),
  ...(plan.audio ? [audioRendition] : []),
  ...(plan.iframes ? [iframeRendition] : []),
]

async function tracksOf(deps: EncodeDeps, target: EncodeTarget, plan: Plan): Promise<Record<string, Track>> {
  // I-frames have the init segment of the rendition that they are of.
  const names = renditionNames(plan).filter((name) => name !== iframeRendition)
  const found = names.map(async (name): Promise<Array<[string, Track]>> => {
    const blob = initBlob(target, plan, name)
    const track = await deps.tracks.get(blob, async () => {
      const init = await deps.media.get(blob)
      return init && { codecs: name === audioRendition ? aacCodecs : avcCodecs(init), initBytes: init.length }
    })
    return track ? [[name, track]] : []
  })
  return Object.fromEntries((await Promise.all(found)).flat())
}

/** Writes a timeline of `playable` segments, or the last one, and says what it is. */
export async function writeTimeline(
  deps: EncodeDeps,
  of: { target: EncodeTarget; plan: Plan; progress: Progress; storyboard?: Storyboard | undefined },
  playable: number | undefined,
): Promise<{ blob: string; timeline: Timeline }> {
  const { target, plan } = of
  const [keyIds, tracks] = await Promise.all([deps.sealer.keyIds(target), tracksOf(deps, target, plan)])
  // Cleaned meanwhile: keys made now would fit nothing that is sealed.
  if (!keyIds) throw new Problem('asset-failed')
  const timeline = makeTimeline({ ...of, keyIds, tracks, playable })
  const longest = Math.max(...timeline.renditions.map(({ segments }) => segments.length))
  const blob = timelineBlob(target, playable ?? longest + 1)
  await deps.media.putOnce(blob, Buffer.from(JSON.stringify(timeline)), 'application/json')
  return { blob, timeline }
}

const shortList = 20
const leastMs = 2000
const segmentMs = 2

/**
 * The first minute is shown as it is made: somebody may be watching, and what comes next may have to wait for a machine.
 * Then the longer the list that is written anew, the less often.
 */
const restMs = (segments: number): number =>
  segments < shortList ? 0 : Math.max(leastMs, segments * segmentMs)

/**
 * Late and repeated calls are harmless: the title's document only ever moves to a longer timeline. A call that comes too
 * soon does nothing: whoever still works calls again, and the end of the encode writes the last timeline anyway.
 */
export async function publish(
  deps: EncodeDeps,
  target: EncodeTarget,
  plan: Plan,
  known?: Asset,
): Promise<void> {
  const { tenantId, assetId, version } = target
  const asset = known ?? (await deps.assets.get(tenantId, assetId))
  if (asset?.state !== 'encoding' || asset.version !== version) return
  const shown = timelineLength(asset.timeline)
  const nowMs = deps.clock.now()
  if (nowMs - Date.parse(asset.publishedAt ?? '') < restMs(shown)) return
  const units = await deps.ledger.read(jobOf(target), shown === 0 ? 0 : undefined)
  const progress = addUp(plan, units)
  const playable = playableSegments(plan, progress)
  if (playable <= shown) return
  const { blob, timeline } = await writeTimeline(deps, { target, plan, progress }, playable)
  const { durationSeconds } = timeline
  const facts = { version, timeline: blob, durationSeconds, renditions: shownRenditions(timeline) }
  let isFirst = false
  await deps.assets.update(tenantId, assetId, (current) => {
    const next = published(current, facts, deps.clock.now())
    isFirst = next !== 'unchanged' && current.timeline === undefined
    return next
  })
  if (isFirst) deps.log('info', 'encode.playable', { assetId, segments: playable })
}
