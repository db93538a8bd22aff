// When a NCRONTAB expression is due: five or six fields, in UTC, day of month and day of week both to be met.
interface Field {
  readonly lowest: number
  readonly highest: number
  readonly names?: readonly string[]
}

const months = 'January February March April May June July August September October November December'.split(
  ' ',
)
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const fields: readonly Field[] = [
  { lowest: 0, highest: 59 },
  { lowest: 0, highest: 59 },
  { lowest: 0, highest: 23 },
  { lowest: 1, highest: 31 },
  { lowest: 1, highest: 12, names: months },
  { lowest: 0, highest: 6, names: days },
]

export interface Ncrontab {
  /** The first occurrence after that time, or undefined when there is none, as for 30 February. */
  next(afterMs: number): number | undefined
  /** Only seconds are restricted, and to more than one a minute. */
  readonly isSubMinute: boolean
}

/** Undefined when the text is no such expression. */
export function parseNcrontab(text: string): Ncrontab | undefined {
  const words = text.trim().split(/\s+/)
  if (words.length !== 5 && words.length !== 6) return undefined
  const sets = (words.length === 5 ? ['0', ...words] : words).map((word, index) =>
    parseField(word, fields[index]!),
  )
  if (!sets.every((set) => set !== undefined)) return undefined
  const [seconds, minutes, hours, dates, monthSet, weekdays] = sets as [
    Allowed,
    Allowed,
    Allowed,
    Allowed,
    Allowed,
    Allowed,
  ]

  function next(afterMs: number): number | undefined {
    const start = new Date(Math.floor(afterMs / 1000) * 1000 + 1000)
    const day = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()))
    // Every combination of date and weekday comes back within 28 years; past 2100 the gap is at most 40.
    for (let count = 0; count < 40 * 366; count++, day.setUTCDate(day.getUTCDate() + 1)) {
      if (!monthSet.has(day.getUTCMonth() + 1)) continue
      if (!dates.has(day.getUTCDate()) || !weekdays.has(day.getUTCDay())) continue
      const time = firstTime(count === 0 ? secondOfDay(start) : 0)
      if (time !== undefined) return day.getTime() + time * 1000
    }
    return undefined
  }

  function firstTime(from: number): number | undefined {
    for (const hour of hours) {
      if (hour * 3600 + 3599 < from) continue
      for (const minute of minutes) {
        if (hour * 3600 + minute * 60 + 59 < from) continue
        for (const second of seconds) {
          const time = hour * 3600 + minute * 60 + second
          if (time >= from) return time
        }
      }
    }
    return undefined
  }

  const everyMinute = words.slice(-5).every((word) => word === '*')
  return { next, isSubMinute: words.length === 6 && everyMinute && seconds.size > 1 }
}

type Allowed = ReadonlySet<number>

const secondOfDay = (date: Date): number =>
  date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds()

/** A list of `*`, `n`, `n-m`, each with an optional `/step`; `n/step` runs to the end. */
function parseField(text: string, field: Field): Allowed | undefined {
  const values = new Set<number>()
  for (const item of text.split(',')) {
    const [range, step, ...more] = item.split('/')
    if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return undefined
    const bounds = parseRange(range!, field, step !== undefined)
    if (!bounds) return undefined
    for (let value = bounds[0]; value <= bounds[1]; value += Number(step ?? 1)) values.add(value)
  }
  return new Set([...values].sort((a, b) => a - b))
}

function parseRange(text: string, field: Field, hasStep: boolean): [number, number] | undefined {
  if (text === '*') return [field.lowest, field.highest]
  const [first, second, ...more] = text.split('-').map((part) => parseValue(part, field))
  if (first === undefined || more.length > 0) return undefined
  if (!text.includes('-')) return [first, hasStep ? field.highest : first]
  if (second === undefined) return undefined
  // NCRONTAB swaps a range that is the wrong way round.
  return first <= second ? [first, second] : [second, first]
}

function parseValue(text: string, { lowest, highest, names }: Field): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) >= lowest && Number(text) <= highest ? Number(text) : undefined
  const index =
    text === '' ? -1 : (names ?? []).findIndex((name) => name.toLowerCase().startsWith(text.toLowerCase()))
  return index < 0 ? undefined : index + lowest
}
