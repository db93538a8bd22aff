// A title's next version, made while the one before plays: what its encode sees, and what its steps make of the title.
import { isoTime } from '../core/clock.ts'
import type { Asset } from './model.ts'

export type Next = Asset | 'unchanged'
type Step<F> = (asset: Asset, facts: F, nowMs: number) => Next

export const touched = (asset: Asset, nowMs: number): Asset => ({ ...asset, updatedAt: isoTime(nowMs) })

/** Nothing of it plays from here on. */
export function unplayable(asset: Asset): Asset {
  const { timeline: _, former: _former, poster: _poster, durationSeconds: _duration, ...rest } = asset
  return { ...rest, renditions: [] }
}

/** The version that is being encoded; undefined when none is. */
export function versionUnderWay({ state, version, next }: Asset): number | undefined {
  if (state === 'encoding') return version
  return state === 'ready' && next && !next.error ? next.version : undefined
}

/** Versions count up to here: one that was begun is never begun again, whatever became of it. */
export const latestVersion = ({ version, next }: Asset): number => Math.max(version, next?.version ?? 0)

/** The title as the encode of this version sees it: as if there were no other. */
export function encodeOf(asset: Asset, version: number): Asset {
  const { next } = asset
  if (asset.state !== 'ready' || !next || next.version !== version || next.error) return asset
  const { plan: _, charged: _charged, next: _next, ...rest } = unplayable(asset)
  const { progress, plan, charged } = next
  return {
    ...rest,
    state: 'encoding',
    version,
    progress,
    ...(plan === undefined ? {} : { plan }),
    ...(charged === undefined ? {} : { charged }),
  }
}

/** A version that takes over says until when players go on with what they began with. */
export interface EncodeFacts {
  readonly version: number
  readonly formerUntil?: string | undefined
}

/** A step of an encode, for whichever it is: the first one, or one of a title that plays already. */
export const stepOfEncode =
  <F extends EncodeFacts>(step: Step<F>): Step<F> =>
  (asset, facts, nowMs) => {
    const own = encodeOf(asset, facts.version)
    const after = step(own, facts, nowMs)
    if (own === asset || after === 'unchanged') return after
    return after.state === 'ready' ? switched(asset, after, facts) : beside(asset, after)
  }

/** All at once: whoever asks from here on gets the new version, and players in the middle of the old one the old one. */
function switched(asset: Asset, after: Asset, { formerUntil }: EncodeFacts): Asset {
  const { charged, timeline } = asset
  // What was charged for this version was counted when it was.
  const { charged: _, ...rest } = after
  const until = formerUntil ?? after.updatedAt
  return {
    ...rest,
    ...(charged ? { charged } : {}),
    former: [...(asset.former ?? []), ...(timeline ? [{ timeline, until }] : [])],
  }
}

/** While it is under way, and when it has failed, the title plays on as it is. */
function beside(asset: Asset, { version, progress, plan, charged, error, updatedAt }: Asset): Asset {
  return {
    ...asset,
    updatedAt,
    next: {
      version,
      progress,
      ...(plan === undefined ? {} : { plan }),
      ...(charged === undefined ? {} : { charged }),
      ...(error === undefined ? {} : { error }),
    },
  }
}
