// Where an axis has its ticks and how it says its numbers, for both kinds of plot.

import { isoTime } from '../../shared/core/clock.ts'

/** 1, 2 or 5 times a power of ten, so that there are about as many as asked. */
export function ticksOf(most: number, about: number): number[] {
  if (!(most > 0)) return [0, 1]
  const raw = most / about
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10)
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, n) => n * step)
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880]

/** Full minutes, hours or days; at most ten. */
export function timesOf(startsAt: string, minutes: number): Array<{ minute: number; text: string }> {
  const step = steps.find((one) => minutes / one <= 10) ?? 5760
  const startMs = Date.parse(startsAt)
  const first = Math.ceil(startMs / 60_000 / step) * step - startMs / 60_000
  const ticks: Array<{ minute: number; text: string }> = []
  for (let minute = first; minute <= minutes; minute += step)
    ticks.push({
      minute,
      text: isoTime(startMs + minute * 60_000).slice(...(step < 1440 ? [11, 16] : [5, 10])),
    })
  return ticks
}

const rounded = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits })

/** 1,500,000 is 1.5 M; `most` is what it stands beside, so that one axis has one unit. */
export function shortNumber(value: number, most = value): string {
  if (value === 0) return '0'
  if (most >= 1e9) return `${rounded(value / 1e9, 2)} G`
  if (most >= 1e6) return `${rounded(value / 1e6, 2)} M`
  if (most >= 10_000) return `${rounded(value / 1000, 1)} k`
  return rounded(value, value < 10 ? 2 : value < 100 ? 1 : 0)
}
