// What is remembered of the looks before, in little: samples or arrivals, and the most that was needed of late.
import { arrivals, slotsFor } from './arrivals.ts'
import type { Look } from './decision.ts'
import { forecast, longestSpanMs } from './forecast.ts'
import { mostOf, nothing } from './need.ts'
import type { Memory, Need, Peak, Sample } from './ports.ts'

/** Looks that follow each other faster replace each other. */
const sampleMs = 5000
/** From one look to the next, at the usual pace. */
const lookMs = 10_000
/** A longer break in the looks breaks what was seen, too. */
const breakMs = 60_000
const peaksKept = 8
/** Bytes a second: a rendition of 8 Mbit/s, which is more than any of the ladder. */
const mostPerViewer = 1e6

export interface Past extends Pick<Memory, 'samples' | 'peaks' | 'watchedSinceMs'> {
  /** Now, forecast included. */
  readonly need: Need
  /** The most of the time that must pass before fewer are enough. */
  readonly peak: Need
}

export function recall(look: Look): Past {
  const { plan, memory, nowMs } = look
  const { samples, need } = seen(look)
  const peaks = peaked(memory?.peaks ?? [], { atMs: nowMs, need }, plan.coolMs)
  const seenMs = memory?.peaks.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
  const unbroken = memory && nowMs - seenMs <= Math.max(plan.coolMs, breakMs)
  return {
    ...{ samples, peaks, need },
    watchedSinceMs: unbroken ? Math.min(memory.watchedSinceMs, nowMs) : nowMs,
    peak: peaks.reduce((most, peak) => mostOf(most, peak.need), nothing),
  }
}

function seen({ plan, demand, memory, nowMs }: Look): { samples: Sample[]; need: Need } {
  const before = memory?.samples ?? []
  if (demand.kind === 'work') {
    const samples = arrivals(before, { demand, nowMs, goalMs: plan.goalMs })
    return { samples, need: { ...nothing, slots: slotsFor(samples, demand, { plan, nowMs }) } }
  }
  const samples = sampled(before, { atMs: nowMs, demand })
  const { sessions, bytesPerSecond } = forecast(samples, demand, plan.bootMs + lookMs)
  const isSmall = sessions <= plan.appSessions && bytesPerSecond <= plan.appSessions * mostPerViewer
  return { samples, need: isSmall ? nothing : { ...nothing, sessions, bytesPerSecond } }
}

function sampled(samples: readonly Sample[], now: Sample): Sample[] {
  const kept = samples.filter(({ atMs }) => atMs < now.atMs && now.atMs - atMs <= longestSpanMs)
  const [before, last] = kept.slice(-2)
  return [...(before && last && last.atMs - before.atMs < sampleMs ? kept.slice(0, -1) : kept), now]
}

/** By spans of a fraction of the time they count; each counts from its end, so none is forgotten too early. */
function peaked(peaks: readonly Peak[], now: Peak, coolMs: number): Peak[] {
  const spanOf = (atMs: number) => Math.floor(atMs / Math.max(1, coolMs / peaksKept))
  // A clock that was ahead must not make them count for longer.
  const kept = peaks
    .map(({ atMs, need }) => ({ atMs: Math.min(atMs, now.atMs), need }))
    .filter(({ atMs }) => now.atMs - atMs < coolMs)
  const last = kept.at(-1)
  // A clock that trembles may begin a span twice; not without end.
  const isSame = last && (spanOf(last.atMs) === spanOf(now.atMs) || kept.length > 2 * peaksKept)
  return isSame
    ? [...kept.slice(0, -1), { atMs: now.atMs, need: mostOf(last.need, now.need) }]
    : [...kept, now]
}
