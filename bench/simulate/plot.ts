// A scenario as a picture: demand and places, who waits, machines awake, money spent, and the figures of each strategy (SVG).
import { shortNumber, ticksOf, timesOf } from './axis.ts'
import { columnsOf } from './figures.ts'
import type { Point, PoolRun } from './run.ts'
import type { Scenario } from './scenario.ts'

const width = 960
const [left, right] = [64, 24]
const inner = width - left - right
const rowHeight = 22

/** Told apart by colour and, for whom colours say little, by dashes; ours is drawn last and thickest. */
const style = `
svg { --paper: #ffffff; --ink: #1d232b; --soft: #66707d; --grid: #e6e9ed; --demand: #dfe5ec; --edge: #a9b4c0;
  --ours: #0b66c3; --always-on: #7b8490; --threshold: #c8511b; --threshold-share: #8046c9; --tracking: #0e7f71; }
@media (prefers-color-scheme: dark) { svg { --paper: #14171c; --ink: #e7eaee; --soft: #9aa4b1; --grid: #2a3038; --demand: #2b333d; --edge: #566270;
  --ours: #63adff; --always-on: #a0a9b4; --threshold: #f58b52; --threshold-share: #bd95f5; --tracking: #45c9b8; } }
text { font: 12px system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; fill: var(--ink); }
.paper { fill: var(--paper); } .soft { fill: var(--soft); } .end { text-anchor: end; }
.title { font-size: 18px; font-weight: 600; } .panel { font-weight: 600; } .strong { font-weight: 600; }
.num { font-variant-numeric: tabular-nums; }
.grid { stroke: var(--grid); fill: none; } .axis { stroke: var(--edge); fill: none; }
.demand { fill: var(--demand); stroke: var(--edge); }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: butt; }
.ours { stroke: var(--ours); stroke-width: 2.5; }
.always-on { stroke: var(--always-on); stroke-dasharray: 1 3; stroke-linecap: round; stroke-width: 2; }
.threshold { stroke: var(--threshold); stroke-dasharray: 7 3; }
.threshold-share { stroke: var(--threshold-share); stroke-dasharray: 3 3; }
.tracking { stroke: var(--tracking); stroke-dasharray: 9 3 2 3; }`

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign)
const at = (value: number): string => value.toFixed(1)

interface Panel {
  readonly title: string
  readonly height: number
  readonly value: (point: Point) => number
  /** Filled behind the lines: what is wanted. */
  readonly behind?: (point: Point) => number
  readonly least: number
}

const panelsOf = (pool: PoolRun['pool'], currency: string): Panel[] => [
  pool === 'edge'
    ? {
        title: 'Viewers who want to watch (grey), and places for them',
        height: 210,
        value: ({ places }) => places,
        behind: ({ wanted }) => wanted,
        least: 1,
      }
    : {
        title: 'Work still to be done, in hours of one slot',
        height: 180,
        value: ({ wanted }) => wanted,
        least: 1,
      },
  ...(pool === 'edge'
    ? [{ title: 'Viewers without a place', height: 100, value: ({ without }: Point) => without, least: 10 }]
    : []),
  { title: 'Machines that are paid for', height: 130, value: ({ awake }) => awake, least: 2 },
  { title: `Spent, in ${currency}`, height: 110, value: ({ cost }) => cost, least: 1 },
]

/** Without the dots that lie on the line between their neighbours: a picture for the docs should be small. */
function thinned(dots: ReadonlyArray<readonly [number, number]>): ReadonlyArray<readonly [number, number]> {
  const kept: Array<readonly [number, number]> = []
  let left = 0
  for (const [n, dot] of dots.entries()) {
    const [last, next] = [kept.at(-1), dots[n + 1]]
    if (last && next) {
      const share = (dot[0] - last[0]) / (next[0] - last[0])
      const off = Math.abs(last[1] + share * (next[1] - last[1]) - dot[1])
      // On a slow bend each is near the line, and many in a row are not.
      if (off === 0 || (off < 0.15 && left < 5)) {
        left += 1
        continue
      }
    }
    kept.push(dot)
    left = 0
  }
  return kept
}

function drawPanel(
  panel: Panel,
  {
    runs,
    minutes,
    top,
    startsAt,
  }: { runs: readonly PoolRun[]; minutes: number; top: number; startsAt: string },
): string {
  const { value, behind, height, least } = panel
  const most = Math.max(
    least,
    ...runs.flatMap(({ points }) => points.map((point) => Math.max(value(point), behind?.(point) ?? 0))),
  )
  const ticks = ticksOf(most, height > 150 ? 5 : 3)
  const scale = ticks[ticks.length - 1]!
  const x = (minute: number): string => at(left + (minute / minutes) * inner)
  const y = (amount: number): string => at(top + height - (amount / scale) * height)
  const path = ({ points }: PoolRun, of: (point: Point) => number): string =>
    `M${thinned(points.map((point) => [Number(x(point.minute)), Number(y(of(point)))]))
      .map(([x, y]) => `${x} ${y}`)
      .join('L')}`
  const area =
    behind && runs[0]
      ? `<path class="demand" d="${path(runs[0], behind)}L${x(minutes)} ${y(0)}L${x(0)} ${y(0)}Z"/>`
      : ''
  return [
    `<text class="panel" x="${left}" y="${top - 8}">${escaped(panel.title)}</text>`,
    ...ticks.map(
      (tick) =>
        `<path class="grid" d="M${left} ${y(tick)}H${width - right}"/><text class="soft end num" x="${left - 8}" y="${at(Number(y(tick)) + 4)}">${shortNumber(tick, scale)}</text>`,
    ),
    area,
    ...[...runs].reverse().map((run) => `<path class="line ${run.strategy}" d="${path(run, value)}"/>`),
    `<path class="axis" d="M${left} ${y(0)}H${width - right}"/>`,
    ...timesOf(startsAt, minutes).map(
      ({ minute, text }) =>
        `<path class="axis" d="M${x(minute)} ${y(0)}v4"/><text class="soft num" text-anchor="middle" x="${x(minute)}" y="${top + height + 17}">${text}</text>`,
    ),
  ].join('\n')
}

/** The legend has the figures, so that a picture can be shown alone. */
function drawTable(runs: readonly PoolRun[], currency: string, top: number): string {
  const columns = columnsOf(runs[0]!, currency)
  const named = 176
  const step = (inner - named) / columns.length
  const x = (n: number): string => at(left + named + (n + 1) * step)
  const head = columns.map(
    ({ short }, n) => `<text class="soft end" x="${x(n)}" y="${top}">${escaped(short)}</text>`,
  )
  const rows = runs.map((run, row) => {
    const y = top + (row + 1) * rowHeight
    const strong = row === 0 ? ' strong' : ''
    return [
      `<path class="line ${run.strategy}" d="M${left} ${y - 4}h28"/><text class="${strong}" x="${left + 38}" y="${y}">${escaped(run.title)}</text>`,
      ...columns.map(
        ({ cell }, n) => `<text class="end num${strong}" x="${x(n)}" y="${y}">${escaped(cell(run))}</text>`,
      ),
    ].join('')
  })
  return [...head, ...rows].join('\n')
}

export function drawPool(scenario: Scenario, runs: readonly PoolRun[], seed: number): string {
  const minutes = scenario.hours * 60
  const pool = runs[0]!.pool
  const parts: string[] = [
    `<text class="title" x="${left}" y="36">${escaped(scenario.title)}</text>`,
    `<text class="soft" x="${left}" y="56">Simulated, pool ${pool}, seed ${seed}; times in UTC</text>`,
    drawTable(runs, scenario.currency, 86),
  ]
  let top = 86 + (runs.length + 1) * rowHeight + 36
  for (const panel of panelsOf(pool, scenario.currency)) {
    parts.push(drawPanel(panel, { runs, minutes, top, startsAt: scenario.startsAt }))
    top += panel.height + 58
  }
  const height = top - 24
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(scenario.title)}, simulated">`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}
