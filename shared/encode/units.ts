// What the documents of a job's units add up to: how many frames are done, and which segments are there.
import { encodeInstanceId } from '../assets/model.ts'
import { chunkAt, chunkCount, segmentCount } from './grid.ts'
import { audioRendition, iframeRendition, type Plan } from './plan.ts'
import type { EncodeTarget, Unit } from './ports.ts'

export const jobOf = ({ assetId, version }: EncodeTarget): string => encodeInstanceId(assetId, version)

interface UnitFacts {
  readonly frames: number
  readonly done: boolean
  readonly sizes: Record<string, number[]>
}

const running = '.now'

/**
 * A unit that runs and one that is done are two documents, and the second is only ever written with the same content:
 * a late duplicate of a unit can't take anything back.
 */
function unit(jobId: string, name: string, facts: UnitFacts): Omit<Unit, 'kind' | 'firstSegment'> {
  return {
    id: `${doneId(jobId, name)}${facts.done ? '' : running}`,
    jobId,
    type: 'unit',
    schema: 1,
    ...facts,
  }
}

export const chunkUnit = (jobId: string, of: { plan: Plan; chunk: number }, facts: UnitFacts): Unit => ({
  ...unit(jobId, String(of.chunk), facts),
  kind: 'chunk',
  firstSegment: chunkAt(of.plan.video, of.chunk).firstSegment,
})

export const audioUnit = (jobId: string, facts: UnitFacts): Unit => ({
  ...unit(jobId, 'audio', facts),
  kind: 'audio',
  firstSegment: 0,
})

/** Under which a unit stands once it is done: then a repeat only has to publish. */
export const doneId = (jobId: string, name: string | number): string => `${jobId}.${name}`

/** Sealed sizes, in order from the title's first segment. */
export interface Progress {
  /** Pictures, of all chunks. */
  readonly frames: number
  readonly video: Record<string, number[]>
  readonly iframes: number[]
  readonly videoDone: boolean
  readonly audio: number[]
  readonly audioDone: boolean
}

export function addUp(plan: Plan, units: readonly Unit[]): Progress {
  const frames = new Map<number, number>()
  const done = new Map<number, Unit>()
  let sound: Unit | undefined
  for (const unit of units) {
    if (unit.kind === 'audio') {
      if (!sound?.done) sound = unit
      continue
    }
    frames.set(unit.firstSegment, Math.max(frames.get(unit.firstSegment) ?? 0, unit.frames))
    if (unit.done) done.set(unit.firstSegment, unit)
  }
  const prefix = prefixOf(plan, done)
  const video = plan.renditions.map(
    ({ name }) => [name, prefix.flatMap(({ sizes }) => sizes[name] ?? [])] as const,
  )
  return {
    frames: [...frames.values()].reduce((sum, some) => sum + some, 0),
    video: Object.fromEntries(video),
    iframes: prefix.flatMap(({ sizes }) => sizes[iframeRendition] ?? []),
    videoDone: prefix.length === chunkCount(plan.video),
    audio: sound?.sizes[audioRendition] ?? [],
    audioDone: plan.audio === undefined || sound?.done === true,
  }
}

/** The chunks from the first one on that are done, none left out. */
function prefixOf({ video }: Plan, done: ReadonlyMap<number, Unit>): Unit[] {
  const prefix: Unit[] = []
  for (const chunks = chunkCount(video); prefix.length < chunks; ) {
    const unit = done.get(chunkAt(video, prefix.length).firstSegment)
    if (!unit) break
    prefix.push(unit)
  }
  return prefix
}

/**
 * Segments that can be played: all that every rendition has, the sound too unless there turned out to be none. The last one
 * waits for the end: hls.js never ends a film whose last segment it was loading when EXT-X-ENDLIST came.
 */
export function playableSegments(plan: Plan, { video, audio, audioDone }: Progress): number {
  const pictures = Math.min(...plan.renditions.map(({ name }) => video[name]?.length ?? 0))
  const heard = audioDone && audio.length === 0 ? pictures : audio.length
  return Math.min(pictures, heard, segmentCount(plan.video) - 1)
}
