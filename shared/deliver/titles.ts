// What a viewer's title is right now: its document, asked for at most once a second, and the timeline that it names.
import type { Asset } from '../assets/model.ts'
import type { AssetStore, MediaStore } from '../assets/ports.ts'
import { Timeline } from '../assets/timeline.ts'
import type { Clock } from '../core/clock.ts'
import { createRecent } from '../core/recent.ts'
import type { Granted } from './ports.ts'

const assetAgeMs = 1000
const timelinesMaxBytes = 32 << 20

export interface PlayableTitle {
  readonly asset: Asset
  readonly timeline: Timeline
  /** Blob name: never written twice, so it names its content. */
  readonly timelineBlob: string
  /** Timelines that players may still be in the middle of: read when somebody asks for what the current one has not. */
  former(): Promise<Timeline[]>
}

export interface TitleDeps {
  readonly assets: Pick<AssetStore, 'get'>
  readonly media: Pick<MediaStore, 'get'>
  readonly clock: Clock
  /** How long a title that was known plays on while its document can not be read. */
  readonly graceMs?: number
}

export function createTitles({ assets, media, clock, graceMs = 0 }: TitleDeps) {
  const documents = createRecent<Asset | undefined>({
    clock,
    maxAgeMs: assetAgeMs,
    maxWeight: 5000,
    grace: { maxAgeMs: graceMs, clock },
  })
  const timelines = createRecent<{ timeline: Timeline; sizeBytes: number } | undefined>({
    clock,
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxWeight: timelinesMaxBytes,
    weigh: (entry) => entry?.sizeBytes ?? 0,
  })

  const loadTimeline = (blob: string) =>
    timelines.get(blob, async () => {
      const bytes = await media.get(blob)
      if (!bytes) return undefined
      const timeline = Timeline.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
      return { timeline, sizeBytes: bytes.length }
    })

  async function former({ former = [] }: Asset): Promise<Timeline[]> {
    const kept = former.filter(({ until }) => clock.now() < Date.parse(until))
    const loaded = await Promise.all(kept.map(({ timeline }) => loadTimeline(timeline)))
    return loaded.flatMap((each) => (each ? [each.timeline] : []))
  }

  /** Undefined when the title is gone, has failed, has nothing to play yet, or was ended for this session. */
  return async function find({ tenantId, assetId, openedAtMs }: Granted): Promise<PlayableTitle | undefined> {
    const asset = await documents.get(`${tenantId}/${assetId}`, () => assets.get(tenantId, assetId))
    if (!asset?.timeline || (asset.state !== 'encoding' && asset.state !== 'ready')) return undefined
    if (asset.sessionsEndedAt && !(openedAtMs > Date.parse(asset.sessionsEndedAt))) return undefined
    const loaded = await loadTimeline(asset.timeline)
    return (
      loaded && {
        asset,
        timeline: loaded.timeline,
        timelineBlob: asset.timeline,
        former: () => former(asset),
      }
    )
  }
}
