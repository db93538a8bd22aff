// What the documents of a job's units add up to: how many frames are done, and which segments are there.
import { encodeInstanceId } from '../assets/model.ts'
import type { Plan } from './plan.ts'
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
  return { id: `${jobId}.${name}${facts.done ? '' : running}`, jobId, type: 'unit', schema: 1, ...facts }
}

export const chunkUnit = (jobId: string, of: { plan: Plan; chunk: number }, facts: UnitFacts): Unit => ({
  ...unit(jobId, String(of.chunk), facts),
  kind: 'chunk',
  firstSegment: of.plan.chunks[of.chunk]?.firstSegment ?? 0,
})

export const audioUnit = (jobId: string, facts: UnitFacts): Unit => ({
  ...unit(jobId, 'audio', facts),
  kind: 'audio',
  firstSegment: 0,
})

/** Whether this very unit was done before: then a repeat only has to publish. */
export const isDone = (units: readonly Unit[], name: string): boolean =>
  units.some(({ id, jobId, done }) => done && id === `${jobId}.${name}`)

/** Sealed sizes, in order from the title's first segment. */
export interface Progress {
  /** Pictures, of all chunks. */
  readonly frames: number
  readonly video: Record<string, number[]>
  readonly videoDone: boolean
  readonly audio: number[]
  /** AAC frames. */
  readonly audioFrames: number
  readonly audioDone: boolean
}

export function addUp(plan: Plan, units: readonly Unit[]): Progress {
  const chunks = units.filter(({ kind }) => kind === 'chunk')
  const sounds = units.filter(({ kind }) => kind === 'audio')
  const best = new Map<number, number>()
  for (const { firstSegment, frames } of chunks)
    best.set(firstSegment, Math.max(best.get(firstSegment) ?? 0, frames))

  const done = new Map(chunks.filter((chunk) => chunk.done).map((chunk) => [chunk.firstSegment, chunk]))
  const missing = plan.chunks.findIndex(({ firstSegment }) => !done.has(firstSegment))
  const prefix = (missing < 0 ? plan.chunks : plan.chunks.slice(0, missing)).map((chunk) =>
    done.get(chunk.firstSegment),
  )
  const video = plan.renditions.map(
    ({ name }) => [name, prefix.flatMap((chunk) => chunk?.sizes[name] ?? [])] as const,
  )

  const sound = sounds.find((audio) => audio.done) ?? sounds[0]
  return {
    frames: [...best.values()].reduce((sum, frames) => sum + frames, 0),
    video: Object.fromEntries(video),
    videoDone: missing < 0,
    audio: Object.values(sound?.sizes ?? {})[0] ?? [],
    audioFrames: sound?.frames ?? 0,
    audioDone: plan.audio === undefined || sound?.done === true,
  }
}

/** Segments that can be played: all that all video renditions have, up to the lesser of audio and video while it grows. */
export function playableSegments(plan: Plan, { video, audio, audioDone }: Progress): number {
  const pictures = Math.min(...plan.renditions.map(({ name }) => video[name]?.length ?? 0))
  return audioDone ? pictures : Math.min(pictures, audio.length)
}
