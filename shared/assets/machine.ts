// How a title moves through its states: pure transitions, each `(asset, facts, nowMs)` to the next document.
import { isoTime } from '../core/clock.ts'
import { Problem, type ProblemCode, problems } from '../core/problem.ts'
import { type Asset, type Progress, progressStages, type Rendition } from './model.ts'
import {
  type EncodeFacts,
  latestVersion,
  type Next,
  stepOfEncode,
  touched,
  unplayable,
  versionUnderWay,
} from './next.ts'

/** The facts of encode carry the version they were found at: those of another encode change nothing. */
const encodes = (asset: Asset, version: number): boolean =>
  asset.state === 'encoding' && asset.version === version

/** `uploading` → `encoding`: the ETag is pinned. Repeated, it changes nothing; an upload that ended refuses. */
export function completed(asset: Asset, facts: { etag: string }, nowMs: number): Next {
  if (asset.source.etag !== undefined) return 'unchanged'
  if (asset.state !== 'uploading') throw new Problem('upload-closed')
  return {
    ...touched(asset, nowMs),
    state: 'encoding',
    source: { ...asset.source, etag: facts.etag },
    progress: { percent: 0, stage: 'queued' },
  }
}

/**
 * Percent and stage only ever go forward; without a change of either, the estimate alone writes nothing. A title that
 * waits for encoders says so until one comes (`wakingEncoders`), whatever is made of it meanwhile.
 */
export const progressed = stepOfEncode<{ version: number } & Progress>((asset, facts, nowMs): Next => {
  if (!encodes(asset, facts.version)) return 'unchanged'
  const { percent, stage } = asset.progress
  const later = progressStages.indexOf(facts.stage) > progressStages.indexOf(stage)
  const reached = Math.max(percent, Math.min(99, Math.floor(facts.percent)))
  if (!later && reached === percent) return 'unchanged'
  const now = later ? facts.stage : stage
  // How long encoders take to wake is in nobody's pace.
  const isKnown = facts.etaSeconds !== undefined && now !== 'waking-encoders'
  const progress: Progress = {
    percent: reached,
    stage: now,
    ...(isKnown ? { etaSeconds: facts.etaSeconds } : {}),
  }
  return { ...touched(asset, nowMs), progress }
})

/** What is left of it waits for encoders that are asleep, or does so no more. */
export const wakingEncoders = stepOfEncode<{ version: number; waits: boolean }>(
  (asset, { version, waits }, nowMs) => {
    if (!encodes(asset, version)) return 'unchanged'
    const [from, to] = waits
      ? (['encoding', 'waking-encoders'] as const)
      : (['waking-encoders', 'encoding'] as const)
    const { percent, stage } = asset.progress
    return stage === from ? { ...touched(asset, nowMs), progress: { percent, stage: to } } : 'unchanged'
  },
)

/** Its tenant pays for each encode once: not for a repetition, nor for another version that another ffmpeg needs. */
export const charged = stepOfEncode<{ version: number; month: string; seconds: number }>(
  (asset, facts, nowMs) => {
    if (!encodes(asset, facts.version) || asset.charged) return 'unchanged'
    const { month, seconds } = facts
    return { ...touched(asset, nowMs), charged: { month, seconds } }
  },
)

/** What a change of the title charged its tenant. */
export const newCharge = (before: Asset | undefined, after: Asset | undefined): Asset['charged'] =>
  (before?.next?.charged ? undefined : after?.next?.charged) ?? (before?.charged ? undefined : after?.charged)

/** One version follows one plan: another one, made by another ffmpeg, needs another version. */
export const planned = stepOfEncode<{ version: number; plan: string }>((asset, facts, nowMs) => {
  if (!encodes(asset, facts.version)) return 'unchanged'
  if (asset.plan !== undefined && asset.plan !== facts.plan) throw new Problem('encode-outdated')
  const moved = progressed(asset, { version: facts.version, percent: 0, stage: 'encoding' }, nowMs)
  if (asset.plan === facts.plan) return moved
  return { ...(moved === 'unchanged' ? touched(asset, nowMs) : moved), plan: facts.plan }
})

/** Begins the next version from the source; what there was of this one plays no more. */
export const renewed = stepOfEncode<{ version: number }>((asset, facts, nowMs) => {
  if (!encodes(asset, facts.version)) return 'unchanged'
  const { plan: _, ...rest } = unplayable(touched(asset, nowMs))
  return { ...rest, version: asset.version + 1, progress: { percent: 0, stage: 'queued' } }
})

/** How many segments a timeline's name promises: `…/timeline-{n}.json`; 0 for none. */
export const timelineLength = (blob: string | undefined): number =>
  Number(/\/timeline-(\d+)\.json$/.exec(blob ?? '')?.[1] ?? 0)

/** Of which version a timeline is: `…/v{n}/timeline-…`. */
export const timelineVersion = (blob: string): number => Number(/\/v(\d+)\/timeline-/.exec(blob)?.[1] ?? 0)

/** Which content keys a timeline is of: `…/timeline-g{n}.json`; those of an encode are generation 0. */
export const timelineGeneration = (blob: string | undefined): number =>
  Number(/\/timeline-g(\d+)\.json$/.exec(blob ?? '')?.[1] ?? 0)

export interface PublishedFacts {
  readonly version: number
  readonly timeline: string
  readonly durationSeconds: number
  readonly renditions: Rendition[]
  readonly poster?: string | undefined
}

/** A longer timeline becomes the current one; a late or repeated publish changes nothing. */
export function published(asset: Asset, facts: PublishedFacts, nowMs: number): Next {
  if (!encodes(asset, facts.version)) return 'unchanged'
  if (timelineLength(facts.timeline) <= timelineLength(asset.timeline)) return 'unchanged'
  return {
    ...touched(asset, nowMs),
    timeline: facts.timeline,
    publishedAt: isoTime(nowMs),
    durationSeconds: facts.durationSeconds,
    renditions: facts.renditions,
    ...(facts.poster === undefined ? {} : { poster: facts.poster }),
  }
}

/** `encoding` → `ready`, with the timeline that has ended; a next version takes over. */
export const finished = stepOfEncode<PublishedFacts & EncodeFacts>((asset, facts, nowMs) => {
  const next = published(asset, facts, nowMs)
  if (next === 'unchanged') return next
  return { ...next, state: 'ready', progress: { percent: 100, stage: 'done' } }
})

export interface FailedFacts {
  readonly version: number
  readonly code: ProblemCode
  readonly detail?: string | undefined
}

/** `uploading` or `encoding` → `failed`: nothing of it plays from here on. The first error stays. */
export const failed = stepOfEncode<FailedFacts>((asset, facts, nowMs) => {
  if (asset.state === 'ready' || asset.state === 'failed') return 'unchanged'
  if (asset.version !== facts.version) return 'unchanged'
  return {
    ...unplayable(touched(asset, nowMs)),
    state: 'failed',
    progress: { percent: asset.progress.percent, stage: 'failed' },
    error: { code: facts.code, detail: facts.detail ?? problems[facts.code].advice },
  }
})

/** Begins the next version of a title that plays. Repeated, it is the one under way. */
export function reencoded(asset: Asset, nowMs: number): Next {
  if (asset.state !== 'ready')
    throw new Problem('conflict', {
      detail: `A title is encoded anew once it is ready; this one is ${asset.state}.`,
    })
  if (versionUnderWay(asset) !== undefined) return 'unchanged'
  const version = latestVersion(asset) + 1
  return { ...touched(asset, nowMs), next: { version, progress: { percent: 0, stage: 'queued' } } }
}

/** Its tenant's word: the encode under way ends. Repeated, it changes nothing; where none is, it refuses. */
export function cancelled(asset: Asset, nowMs: number): Next {
  const version = versionUnderWay(asset)
  if (version !== undefined) return failed(asset, { version, code: 'encode-cancelled' }, nowMs)
  if ((asset.next?.error ?? asset.error)?.code === 'encode-cancelled') return 'unchanged'
  throw new Problem('conflict', {
    detail: `Only an encode that is under way can be cancelled; this title is ${asset.state}.`,
  })
}

export interface RekeyedFacts {
  readonly version: number
  /** The timeline that the new one was made from; any other is left alone. */
  readonly from: string
  readonly timeline: string
  readonly until: string
}

/** New content keys: the timeline under them takes over at once, the old one goes on for players that began with it. */
export function rekeyed(asset: Asset, facts: RekeyedFacts, nowMs: number): Next {
  if (asset.state !== 'ready' || asset.version !== facts.version) return 'unchanged'
  if (asset.timeline !== facts.from) return 'unchanged'
  const former = [...(asset.former ?? []), { timeline: facts.from, until: facts.until }]
  return { ...touched(asset, nowMs), timeline: facts.timeline, former }
}

/** What a former timeline named is gone. */
export function formerRetired(asset: Asset, facts: { timeline: string }, nowMs: number): Next {
  const { former = [], ...rest } = asset
  const left = former.filter(({ timeline }) => timeline !== facts.timeline)
  if (left.length === former.length) return 'unchanged'
  return { ...touched(rest, nowMs), ...(left.length > 0 ? { former: left } : {}) }
}

/** Its tenant's word: every session that was opened before is over. It never takes back what was said later. */
export function sessionsEnded(asset: Asset, facts: { atMs: number }, nowMs: number): Next {
  const sessionsEndedAt = isoTime(facts.atMs)
  if (asset.sessionsEndedAt !== undefined && asset.sessionsEndedAt >= sessionsEndedAt) return 'unchanged'
  return { ...touched(asset, nowMs), sessionsEndedAt }
}

/** An upload that nobody touched since `updatedBefore` ends; one that moved meanwhile does not. */
export function abandoned(asset: Asset, facts: { updatedBefore: string }, nowMs: number): Next {
  if (asset.state !== 'uploading' || asset.updatedAt >= facts.updatedBefore) return 'unchanged'
  return failed(asset, { version: asset.version, code: 'upload-abandoned' }, nowMs)
}

/** What there was of a next version that failed is gone. */
export function nextCleaned(asset: Asset, facts: { version: number }, nowMs: number): Next {
  const { next } = asset
  if (next?.version !== facts.version || !next.error || next.cleanedAt !== undefined) return 'unchanged'
  return { ...asset, next: { ...next, cleanedAt: isoTime(nowMs) } }
}

/** Source, media, units and keys of a failed title are gone. */
export function cleaned(asset: Asset, nowMs: number): Next {
  if (asset.state !== 'failed') throw new Problem('conflict', { detail: 'Only a failed title is cleaned.' })
  if (asset.cleanedAt !== undefined) return 'unchanged'
  return { ...touched(asset, nowMs), cleanedAt: isoTime(nowMs) }
}

/** Its tenant's DELETE, from any state: units that still run see it and stop, players are refused, the sweep cleans. */
export function removed(asset: Asset, nowMs: number): Next {
  if (asset.deletedAt !== undefined) return 'unchanged'
  const { cleanedAt: _, ...rest } = touched(asset, nowMs)
  return { ...rest, state: 'failed', deletedAt: isoTime(nowMs) }
}
