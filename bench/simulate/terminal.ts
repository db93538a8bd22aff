// The same plot, small, in characters: demand filled, places as a line above it, and where somebody waited.
import { shortNumber, timesOf } from './axis.ts'
import type { Point, PoolRun } from './run.ts'
import type { Scenario } from './scenario.ts'

const columns = 88
const rows = 9
const blocks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

export function drawTerminal({ hours, startsAt }: Scenario, run: PoolRun): string {
  const slices = Array.from({ length: columns }, (_, n) => {
    const [from, to] = [n, n + 1].map((edge) => Math.floor((edge / columns) * run.points.length)) as [
      number,
      number,
    ]
    return run.points.slice(from, Math.max(to, from + 1))
  })
  const most = (of: (point: Point) => number) => slices.map((points) => Math.max(...points.map(of)))
  const filled = most(({ wanted }) => wanted)
  const lined = most(run.audience ? ({ places }) => places : ({ awake }) => awake)
  const waited = most(({ without }) => (run.audience ? without : 0))
  const scale = Math.max(1, ...filled, ...(run.audience ? lined : []))
  const lineScale = run.audience ? scale : Math.max(1, ...lined)

  const lines = Array.from({ length: rows }, (_, n) => {
    const row = rows - 1 - n
    const cells = slices.map((_slice, column) => {
      const lineRow = Math.min(rows - 1, Math.floor((lined[column]! / lineScale) * rows))
      if (lineRow === row) return '─'
      const eighths = Math.round(((filled[column]! / scale) * rows - row) * 8)
      return blocks[Math.max(0, Math.min(8, eighths))]
    })
    const label = n === 0 ? shortNumber(scale) : row === 0 ? '0' : ''
    return `${label.padStart(9)} ┤${cells.join('')}`
  })
  const axis = Array.from({ length: columns }, () => ' ')
  for (const { minute, text } of timesOf(startsAt, hours * 60)) {
    const from = Math.floor((minute / (hours * 60)) * columns)
    if (from + text.length <= columns) axis.splice(from, text.length, ...text)
  }
  const legend = run.audience
    ? '█ viewers  ─ places  × without a place'
    : `█ hours of work left  ─ machines, up to ${Math.max(...lined)}`
  const marks = waited.some((count) => count >= 1)
    ? [`${' '.repeat(11)}${waited.map((count) => (count >= 1 ? '×' : ' ')).join('')}`]
    : []
  return [
    ...lines,
    ...marks,
    `${' '.repeat(11)}${axis.join('')}`,
    `${' '.repeat(11)}${legend} (${run.title})`,
  ].join('\n')
}
