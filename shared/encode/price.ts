// What a plan costs and how long it takes, by the operator's price table: a pure function of both.
import type { Quote } from '../assets/quote.ts'
import { shownMinutes } from '../tenants/limits.ts'
import { picturePixels } from './effort.ts'
import { chunkCount } from './grid.ts'
import { audioRendition, type Plan, plannedSeconds } from './plan.ts'

/** Prices of one minute of film in one rendition, in millionths of the currency. */
export interface PriceTable {
  readonly currency: string
  /** By the shorter side, in rising order: a rendition costs what the first one costs that is not smaller. */
  readonly video: ReadonlyArray<{ readonly upTo: number; readonly micros: number }>
  readonly audioMicros: number
}

/** What is known of the machines: how much one unit makes, and how many are under way at once. */
export interface Speed {
  /** Pixels of all renditions together. */
  readonly pixelsPerSecond: number
  readonly units: number
}

/** Until the first unit runs: a start of the app, the probe, the orchestration's own steps. */
const startSeconds = 5

const money = (micros: number): number => micros / 1e6

export function priceOf(plan: Plan, { table, speed }: { table: PriceTable; speed: Speed }): Quote {
  const seconds = plannedSeconds(plan)
  const minutes = shownMinutes(seconds)
  const renditions: Quote['renditions'] = [
    ...plan.renditions.map(({ name, width, height }) => ({ name, kind: 'video' as const, width, height })),
    ...(plan.audio ? [{ name: audioRendition, kind: 'audio' as const }] : []),
  ]
  const priced = renditions.map(({ name, width, height }) => {
    const each = width && height ? videoMicros(table, Math.min(width, height)) : table.audioMicros
    return { name, each, micros: Math.ceil(each * minutes) }
  })
  return {
    renditions,
    encodedMinutes: minutes,
    expectedSeconds: expectedSeconds(plan, speed),
    cost: {
      amount: money(priced.reduce((sum, { micros }) => sum + micros, 0)),
      currency: table.currency,
      lines: priced.map(({ name, each, micros }) => ({
        rendition: name,
        minutes,
        pricePerMinute: money(each),
        amount: money(micros),
      })),
    },
  }
}

/** What is larger than the whole table costs what its largest costs. */
const videoMicros = ({ video }: PriceTable, side: number): number =>
  (video.find(({ upTo }) => side <= upTo) ?? video.at(-1))?.micros ?? 0

/** Units of one title share the machines; of a short one there are fewer than could run. */
function expectedSeconds(plan: Plan, { pixelsPerSecond, units }: Speed): number {
  const work = picturePixels(plan) / pixelsPerSecond
  return Math.ceil(startSeconds + work / Math.min(units, chunkCount(plan.video)))
}
