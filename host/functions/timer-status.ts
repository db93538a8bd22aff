// What a timer remembers between runs of the host, and whether a run was missed in between.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Schedule } from './schedule.ts'

export interface TimerStatus {
  /** Milliseconds since 1970; `neverMs` before the first run. */
  readonly lastMs: number
  readonly nextMs: number
  readonly lastUpdatedMs: number
}

/** .NET's first day, which stands for never. */
export const neverMs = Date.parse('0001-01-01T00:00:00Z')

export interface StatusStore {
  read(name: string): TimerStatus | undefined
  write(name: string, status: TimerStatus): void
}

export function createStatusStore(directory: string): StatusStore {
  const file = (name: string): string => join(directory, `${name.toLowerCase()}.json`)
  return {
    read(name) {
      try {
        return JSON.parse(readFileSync(file(name), 'utf8')) as TimerStatus
      } catch {
        return undefined
      }
    },
    write(name, status) {
      mkdirSync(directory, { recursive: true })
      writeFileSync(`${file(name)}.new`, JSON.stringify(status))
      renameSync(`${file(name)}.new`, file(name))
    },
  }
}

/** The status to go on with, after a first start or a changed schedule; past due when its next run has gone by. */
export function resumeStatus(
  stored: TimerStatus | undefined,
  schedule: Schedule,
  nowMs: number,
): { status: TimerStatus; isPastDue: boolean } {
  if (!stored) return { status: firstStatus(schedule, nowMs), isPastDue: false }
  const basis = stored.lastMs === neverMs ? stored.lastUpdatedMs : stored.lastMs
  const expected = schedule.next(basis)
  if (stored.nextMs === expected) return { status: stored, isPastDue: nowMs > expected }
  // Another schedule than the one that was stored: what it would have missed doesn't count.
  const nextMs = nowMs > expected ? schedule.next(nowMs) : expected
  return {
    status: { lastMs: neverMs, nextMs, lastUpdatedMs: nowMs > expected ? nowMs : basis },
    isPastDue: false,
  }
}

const firstStatus = (schedule: Schedule, nowMs: number): TimerStatus => ({
  lastMs: neverMs,
  nextMs: schedule.next(nowMs),
  lastUpdatedMs: nowMs,
})

export function afterRun(schedule: Schedule, runMs: number): TimerStatus {
  return { lastMs: runMs, nextMs: schedule.next(runMs), lastUpdatedMs: runMs }
}

/** `2026-11-22T13:43:00+00:00`, with a fraction only where there is one. */
export function formatTime(ms: number): string {
  if (ms === neverMs) return '0001-01-01T00:00:00+00:00'
  if (!Number.isFinite(ms)) return '9999-12-31T23:59:59+00:00'
  return new Date(ms).toISOString().replace(/\.?0*Z$/, '+00:00')
}
