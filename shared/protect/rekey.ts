// How a title gets new content keys without a new encode: its segments are opened and sealed again, and the title is switched.
import { formerRetired, rekeyed, timelineGeneration } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import type { AssetStore, MediaStore } from '../assets/ports.ts'
import { Timeline } from '../assets/timeline.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { Problem } from '../core/problem.ts'
import { createRecent } from '../core/recent.ts'
import type { ContentKeys } from './content-keys.ts'
import {
  type PlacedSegment,
  placedSegments,
  rekeyedFolder,
  rekeyedSegmentBlob,
  rekeyedTimeline,
  rekeyedTimelineBlob,
  versionFolder,
} from './generation.ts'
import type { Failure, Outcome, RekeyBatch, RekeyTarget } from './work.ts'

const usualBatchSegments = 50
/** Each is held three times: as it was, in clear, and sealed again. */
const segmentsAtOnce = 3

export interface RekeyDeps {
  readonly assets: Pick<AssetStore, 'get' | 'update'>
  readonly media: Pick<MediaStore, 'get' | 'putOnce' | 'remove' | 'removeFolder'>
  readonly contentKeys: Pick<ContentKeys, 'prepare' | 'keyIds' | 'reseal' | 'retire'>
  readonly clock: Clock
  readonly log: Log
  /** How long segments under former keys stay. */
  readonly retentionMs: number
  /** Of how many segments one activity takes care. */
  readonly batchSegments?: number
}

/** `due`: to be done; `done`: the title has switched to this generation, or is past it; `over`: nobody needs it. */
type Standing =
  | { readonly is: 'due'; readonly from: string }
  | { readonly is: 'done'; readonly asset: Asset }
  | { readonly is: 'over'; readonly asset: Asset | undefined }

/** The next generation of a title's content keys. While it is on its way, asked again it is the same one. */
export function nextGeneration(asset: Asset): RekeyTarget {
  const { tenantId, id: assetId, version, state, timeline } = asset
  if (state !== 'ready' || !timeline)
    throw new Problem('conflict', {
      detail: `The keys of a title are changed once it is ready; this one is ${state}.`,
    })
  return { tenantId, assetId, version, generation: timelineGeneration(timeline) + 1 }
}

/** Each function is one activity, and may be repeated at any moment, also beside itself. */
export function createRekey(deps: RekeyDeps) {
  const { assets, media, contentKeys, clock, log, batchSegments = usualBatchSegments } = deps

  async function standing(target: RekeyTarget): Promise<Standing> {
    const asset = await assets.get(target.tenantId, target.assetId)
    if (asset?.state !== 'ready') return { is: 'over', asset }
    const played = playedTimelines(asset, target).map(timelineGeneration)
    if (played.some((generation) => generation >= target.generation)) return { is: 'done', asset }
    if (asset.version !== target.version || !asset.timeline) return { is: 'over', asset }
    return { is: 'due', from: asset.timeline }
  }

  // Every batch reads it, and that of a long film is large; under its name it never changes.
  const timelines = createRecent<Timeline | undefined>({
    clock,
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxWeight: 2,
    keep: (timeline) => timeline !== undefined,
  })
  const readTimeline = (blob: string): Promise<Timeline | undefined> =>
    timelines.get(blob, async () => {
      const bytes = await media.get(blob)
      return bytes && Timeline.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    })

  /** What was written for a title that was cleaned meanwhile, or for a version that another one has taken over from. */
  async function takeBack(target: RekeyTarget, asset: Asset | undefined): Promise<Failure> {
    const [played] = asset?.state === 'ready' ? playedTimelines(asset, target) : []
    const timeline = played && (await readTimeline(played))
    if (timeline) await media.remove([rekeyedTimelineBlob(target)])
    await media.removeFolder(timeline ? rekeyedFolder(target, timeline.planHash) : versionFolder(target))
    await contentKeys.retire(target)
    const { assetId, version, generation } = target
    log('info', 'protect.rekey-over', { assetId, version, generation })
    return { ok: false, code: 'not-found', detail: 'The title was deleted or encoded anew meanwhile.' }
  }

  /** A failure that no repetition mends leaves the title as it is, under the keys that it had. */
  function refuse({ assetId, generation }: RekeyTarget, detail: string): Failure {
    log('error', 'protect.rekey-failed', { assetId, generation, cause: detail })
    return { ok: false, code: 'conflict', detail }
  }

  /** Looks before and after, so that whatever is written for a title that ends meanwhile is taken back. */
  async function whileDue<T>(
    target: RekeyTarget,
    work: (timeline: Timeline, from: string) => Promise<Outcome<T>>,
    otherwise: (asset: Asset) => Outcome<T>,
  ): Promise<Outcome<T>> {
    const before = await standing(target)
    if (before.is === 'over') return takeBack(target, before.asset)
    if (before.is === 'done') return otherwise(before.asset)
    const timeline = await readTimeline(before.from)
    const outcome = timeline
      ? await work(timeline, before.from)
      : refuse(target, `The timeline ${before.from} is missing.`)
    const after = await standing(target)
    return after.is === 'over' ? takeBack(target, after.asset) : outcome
  }

  async function sealAnew(
    target: RekeyTarget,
    timeline: Timeline,
    segments: PlacedSegment[],
  ): Promise<Outcome> {
    const { planHash, generation } = timeline
    const reseal = await contentKeys.reseal({ ...target, generation }, target, planHash)
    let missing: string | undefined
    const work = async () => {
      for (let one = segments.shift(); one && !missing; one = segments.shift()) {
        const { rendition, number, blob, sizeBytes } = one
        const bytes = await media.get(blob)
        if (bytes?.length !== sizeBytes) missing = blob
        else {
          const sealed = reseal({ rendition, number, bytes })
          await media.putOnce(rekeyedSegmentBlob(target, planHash, one), sealed, 'application/octet-stream')
        }
      }
    }
    await Promise.all(Array.from({ length: segmentsAtOnce }, work))
    return missing ? refuse(target, `The segment ${missing} is missing, or not whole.`) : { ok: true }
  }

  return {
    /** Makes the keys, and says how many batches there are. */
    begin: (target: RekeyTarget): Promise<Outcome<{ batches: number }>> =>
      whileDue(
        target,
        async (timeline) => {
          await contentKeys.prepare(
            target,
            timeline.renditions.map(({ name }) => name),
          )
          return { ok: true, batches: Math.ceil(placedSegments(timeline).length / batchSegments) }
        },
        () => ({ ok: true, batches: 0 }),
      ),

    batch: (target: RekeyBatch): Promise<Outcome> =>
      whileDue(
        target,
        (timeline) => {
          const first = target.batch * batchSegments
          return sealAnew(target, timeline, placedSegments(timeline).slice(first, first + batchSegments))
        },
        () => ({ ok: true }),
      ),

    /** Writes the timeline and makes it the title's; says until when the former one is served. */
    async switch(target: RekeyTarget): Promise<Outcome<{ until: string }>> {
      const { tenantId, assetId, version, generation } = target
      const untilOf = (asset: Asset) => formerOf(asset, target)?.until ?? isoTime(clock.now())
      return whileDue(
        target,
        async (timeline, from) => {
          const keyIds = (await contentKeys.keyIds(target)) ?? {}
          const blob = rekeyedTimelineBlob(target)
          const text = JSON.stringify(rekeyedTimeline(timeline, target, keyIds))
          await media.putOnce(blob, Buffer.from(text), 'application/json')
          const until = isoTime(clock.now() + deps.retentionMs)
          const asset = await assets.update(tenantId, assetId, (current) =>
            rekeyed(current, { version, from, timeline: blob, until }, clock.now()),
          )
          log('info', 'protect.rekeyed', { assetId, version, generation })
          return { ok: true, until: untilOf(asset) }
        },
        (asset) => ({ ok: true, until: untilOf(asset) }),
      )
    },

    /** Former segments, their timeline and their keys go; the title's document forgets them last. */
    async retire(target: RekeyTarget): Promise<Outcome> {
      const { tenantId, assetId, generation } = target
      const now = await standing(target)
      if (now.is === 'over') return takeBack(target, now.asset)
      if (now.is === 'due') throw new Error('keys are retired once the title has new ones')
      const former = formerOf(now.asset, target)
      await contentKeys.retire({ ...target, generation: generation - 1 })
      if (!former) return { ok: true }
      const timeline = await readTimeline(former.timeline)
      if (timeline) await media.remove(placedSegments(timeline).map(({ blob }) => blob))
      await media.remove([former.timeline])
      timelines.drop(former.timeline)
      await assets.update(tenantId, assetId, (asset) => formerRetired(asset, former, clock.now()))
      log('info', 'protect.keys-retired', { assetId, generation: generation - 1 })
      return { ok: true }
    },
  }
}

/** Of this version: the current one, and those that players may still be in the middle of. */
const playedTimelines = ({ timeline, former = [] }: Asset, target: RekeyTarget): string[] =>
  [timeline, ...former.map((each) => each.timeline)].filter(
    (blob): blob is string => blob?.startsWith(versionFolder(target)) === true,
  )

/** What the title played before it switched to this generation. */
const formerOf = ({ former }: Asset, target: RekeyTarget) =>
  former?.find(
    ({ timeline }) =>
      timeline.startsWith(versionFolder(target)) && timelineGeneration(timeline) === target.generation - 1,
  )
