// What a change of content keys changes in a timeline: the names of its segments and of its keys, and nothing else.
import { mediaFolder } from '../assets/model.ts'
import type { Timeline, TimelineSegment } from '../assets/timeline.ts'
import type { RekeyTarget } from './work.ts'

export interface PlacedSegment extends TimelineSegment {
  readonly rendition: string
  readonly number: number
}

export const placedSegments = (timeline: Timeline): PlacedSegment[] =>
  timeline.renditions.flatMap(({ name, segments }) =>
    segments.map((segment, number) => ({ ...segment, rendition: name, number })),
  )

export const versionFolder = ({ tenantId, assetId, version }: RekeyTarget): string =>
  mediaFolder({ tenantId, id: assetId, version })

/** In the manner of `assets/machine.ts`, which reads the generation from it. */
export const rekeyedTimelineBlob = (target: RekeyTarget): string =>
  `${versionFolder(target)}timeline-g${target.generation}.json`

export const rekeyedFolder = (target: RekeyTarget, planHash: string): string =>
  `${versionFolder(target)}${planHash}/g${target.generation}/`

export const rekeyedSegmentBlob = (
  target: RekeyTarget,
  planHash: string,
  { rendition, number }: { rendition: string; number: number },
): string => `${rekeyedFolder(target, planHash)}${rendition}/${number}.m4s`

/** Init segments are clear and stay where they are; a segment sealed by another key has the size that it had. */
export function rekeyedTimeline(
  timeline: Timeline,
  target: RekeyTarget,
  keyIds: Readonly<Record<string, string>>,
): Timeline {
  const renditions = timeline.renditions.map((rendition) => {
    const { name } = rendition
    const keyId = keyIds[name]
    if (!keyId) throw new Error(`rendition ${name} has no key of generation ${target.generation}`)
    const segments = rendition.segments.map((segment, number) => ({
      ...segment,
      blob: rekeyedSegmentBlob(target, timeline.planHash, { rendition: name, number }),
    }))
    return { ...rendition, keyId, segments }
  })
  return { ...timeline, generation: target.generation, renditions }
}
