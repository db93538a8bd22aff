// The figures of a run in words: the columns of the tables, and what `--json` says.
import { shortNumber } from './axis.ts'
import type { Delays } from './delays.ts'
import type { PoolRun } from './run.ts'

interface Column {
  readonly long: string
  readonly short: string
  readonly cell: (run: PoolRun) => string
}

const delay = (delays: Delays, which: 'p50' | 'p99' | 'worst'): string => {
  const value = delays[which]
  if (value === undefined) return delays.asked > 0 ? 'never' : '–'
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`
}
const percent = (share: number): string => {
  if (share === 0) return '0'
  return share < 0.0001 ? '< 0.01 %' : `${(share * 100).toFixed(2)} %`
}
const minutes = (value: number | undefined): string => {
  if (value === undefined) return 'never'
  return value < 180 ? `${value.toFixed(0)} min` : `${(value / 60).toFixed(1)} h`
}
/** Parts of a viewer are parts of an average. */
const whole = (value: number): string =>
  value >= 10_000 ? shortNumber(value) : Math.round(value).toLocaleString('en-US')

const audience: Column[] = [
  { long: 'refused', short: 'refused', cell: ({ audience }) => whole(audience!.refused) },
  {
    long: 'viewer-s without',
    short: 'without, s',
    cell: ({ audience }) => whole(audience!.secondsWithout),
  },
  {
    long: 'share',
    short: 'share',
    cell: ({ audience }) => percent(audience!.secondsWithout / Math.max(1, audience!.secondsWanted)),
  },
  { long: 'first p50', short: 'p50', cell: ({ audience }) => delay(audience!.delays, 'p50') },
  { long: 'p99', short: 'p99', cell: ({ audience }) => delay(audience!.delays, 'p99') },
  { long: 'worst', short: 'worst', cell: ({ audience }) => delay(audience!.delays, 'worst') },
]

const work: Column[] = [
  { long: 'titles done', short: 'titles', cell: ({ work }) => `${work!.titlesDone}/${work!.titles}` },
  { long: 'took p50', short: 'took p50', cell: ({ work }) => minutes(work!.tookP50) },
  { long: 'took most', short: 'most', cell: ({ work }) => minutes(work!.tookMost) },
  { long: 'all done after', short: 'all done', cell: ({ work }) => minutes(work!.allDoneAfter) },
  { long: 'repeated', short: 'repeated', cell: ({ work }) => String(work!.unitsRepeated) },
]

const machines = (currency: string): Column[] => [
  { long: 'VM-hours', short: 'VM-hours', cell: ({ vmHours }) => shortNumber(vmHours) },
  { long: currency, short: currency, cell: ({ cost }) => cost.toFixed(cost < 1000 ? 2 : 0) },
  { long: 'wakes', short: 'wakes', cell: ({ wakes }) => String(wakes) },
  { long: 'most awake', short: 'peak', cell: ({ mostAwake }) => String(mostAwake) },
  { long: 'turns', short: 'turns', cell: ({ turns }) => String(turns) },
]

export const columnsOf = (run: PoolRun, currency: string): Column[] => [
  ...(run.audience ? audience : work),
  ...machines(currency),
]

export function tableOf(runs: readonly PoolRun[], currency: string): string {
  const columns = columnsOf(runs[0]!, currency)
  const rows = [
    ['', ...columns.map(({ long }) => long)],
    ...runs.map((run) => [run.title, ...columns.map(({ cell }) => cell(run))]),
  ]
  const widths = rows[0]!.map((_, n) => Math.max(...rows.map((row) => row[n]!.length)))
  return rows
    .map(
      (row) =>
        `  ${row.map((text, n) => (n === 0 ? text.padEnd(widths[n]!) : text.padStart(widths[n]!))).join('  ')}`,
    )
    .join('\n')
}

/** All figures, without the points of the plots and the single bills. */
export function figuresOf({
  points: _points,
  bills: _bills,
  costCounted: _counted,
  title: _title,
  ...figures
}: PoolRun) {
  return figures
}
