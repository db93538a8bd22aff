// Encodes unit by unit: titles wait for their turn, free slots take the next unit, and what a dead machine held is done again.
import type { Place } from '../../shared/fleet/plan.ts'
import type { Agenda } from './agenda.ts'
import type { Load } from './load.ts'
import type { WorkPart } from './scenario.ts'

interface Title {
  readonly id: number
  readonly uploadedAtMs: number
  readonly units: number
  readonly unitMs: number
  /** The last unit may be shorter. */
  readonly lastMs: number
  begun: number
  /** Units that were given back, by their number. */
  returned: number[]
  underWay: number
  done: number
  doneAtMs: number | undefined
}

interface Unit {
  readonly title: Title
  readonly n: number
}

interface Crew {
  readonly place: Place
  readonly holds: Set<Unit>
  takes: boolean
  empty: (() => void) | undefined
}

/** As UNIT_LEASE_SECONDS: how long a silent worker keeps what it holds. */
const leaseMs = 30_000

export function createWork({ work, agenda }: { readonly work: WorkPart; readonly agenda: Agenda }) {
  const titles: Title[] = []
  /** Those whose turn it is. */
  let open: Title[] = []
  const line: Title[] = []
  const crews = new Map<string, Crew>()
  /** Of all titles, those in the line included. */
  let secondsLeft = 0
  let unitsDone = 0
  let unitsRepeated = 0

  const durationMs = ({ title, n }: Unit): number => (n === title.units - 1 ? title.lastMs : title.unitMs)
  const unitsLeft = (title: Title): number => title.units - title.done

  function nextUnit(): Unit | undefined {
    for (const title of open) {
      if (title.underWay >= work.unitsAtOnce) continue
      const n = title.returned.pop() ?? (title.begun < title.units ? title.begun++ : undefined)
      if (n !== undefined) return { title, n }
    }
    return undefined
  }

  function fill(crew: Crew): void {
    while (crew.takes && crew.holds.size < crew.place.group.slots) {
      const unit = nextUnit()
      if (!unit) return
      crew.holds.add(unit)
      unit.title.underWay++
      agenda.after(durationMs(unit), () => finish(crew, unit))
    }
  }

  const fillAll = (): void => {
    for (const crew of crews.values()) fill(crew)
  }

  function finish(crew: Crew, unit: Unit): void {
    // Taken from a dead one meanwhile: what it still did has no effect.
    if (!crew.holds.delete(unit)) return
    const { title } = unit
    title.underWay--
    title.done++
    unitsDone++
    secondsLeft -= durationMs(unit) / 1000
    if (title.done === title.units) {
      title.doneAtMs = agenda.now()
      open = open.filter((one) => one !== title)
      admit()
    }
    if (crew.takes) {
      fill(crew)
      return
    }
    // A place in this title's window is free, which others may have waited for.
    fillAll()
    if (crew.holds.size === 0) crew.empty?.()
  }

  function admit(): void {
    while (open.length < work.titlesAtOnce && line.length > 0) open.push(line.shift()!)
    fillAll()
  }

  const giveBack = (units: Iterable<Unit>): void => {
    for (const { title, n } of units) {
      title.returned.push(n)
      title.underWay--
      unitsRepeated++
    }
    fillAll()
  }

  function upload(filmMinutes: number): void {
    const filmSeconds = filmMinutes * 60
    const units = Math.ceil(filmSeconds / work.unitFilmSeconds)
    const secondMs = work.slotSecondsPerFilmSecond * 1000
    const title: Title = {
      ...{ id: titles.length, uploadedAtMs: agenda.now(), units, unitMs: work.unitFilmSeconds * secondMs },
      lastMs: (filmSeconds - (units - 1) * work.unitFilmSeconds) * secondMs,
      ...{ begun: 0, returned: [], underWay: 0, done: 0, doneAtMs: undefined },
    }
    titles.push(title)
    secondsLeft += filmSeconds * work.slotSecondsPerFilmSecond
    line.push(title)
    admit()
  }

  const startMs = agenda.now()
  for (const { atMinutes, count, everyMinutes, filmMinutes } of work.uploads)
    for (let n = 0; n < count; n++)
      agenda.at(startMs + (atMinutes + n * everyMinutes) * 60_000, () => upload(filmMinutes))

  const slots = () => {
    const taking = [...crews.values()].filter(({ takes }) => takes)
    return {
      all: taking.reduce((sum, { place }) => sum + place.group.slots, 0),
      busy: taking.reduce((sum, { holds }) => sum + holds.size, 0),
    }
  }

  const load: Load = {
    joined(place) {
      const crew: Crew = { place, holds: new Set(), takes: true, empty: undefined }
      crews.set(place.id, crew)
      fill(crew)
    },
    leaving(place, empty) {
      const crew = crews.get(place.id)!
      crew.takes = false
      crew.empty = empty
      if (crew.holds.size === 0) empty()
    },
    gone(place, how) {
      const crew = crews.get(place.id)
      if (!crew) return
      crews.delete(place.id)
      crew.takes = false
      const held = [...crew.holds]
      crew.holds.clear()
      if (held.length === 0) return
      if (how === 'stopped') giveBack(held)
      else agenda.after(leaseMs, () => giveBack(held))
    },
    step() {},
    demand: () => ({
      kind: 'work',
      seconds: open.reduce((sum, title) => sum + (unitsLeft(title) * title.unitMs) / 1000, 0),
      parallel: open.reduce((sum, title) => sum + Math.min(unitsLeft(title), work.unitsAtOnce), 0),
    }),
    utilisation() {
      const { all, busy } = slots()
      if (all === 0) return open.length > 0 ? 1 : 0
      return busy / all
    },
    of(place) {
      const crew = crews.get(place.id)
      const cpu = (crew?.holds.size ?? 0) / place.group.slots
      const holds = [...(crew?.holds ?? [])].map(({ title, n }) => `job${title.id}.${n}`)
      return { holds, load: { sessions: 0, bytesPerSecond: 0, cpu } }
    },
    gauge() {
      const { all, busy } = slots()
      return { wanted: Math.max(0, secondsLeft) / 3600, places: all, without: all - busy }
    },
  }

  return {
    load,
    figures() {
      const done = titles.filter(({ doneAtMs }) => doneAtMs !== undefined)
      const took = done.map((title) => (title.doneAtMs! - title.uploadedAtMs) / 60_000).sort((a, b) => a - b)
      const complete = done.length === titles.length
      return {
        ...{ titles: titles.length, titlesDone: done.length, unitsDone, unitsRepeated },
        unitsUnderWay: titles.reduce((sum, { underWay }) => sum + underWay, 0),
        units: titles.reduce((sum, title) => sum + title.units, 0),
        /** From upload to the last unit, in minutes. */
        tookP50: took[Math.floor(took.length / 2)],
        tookMost: complete ? took[took.length - 1] : undefined,
        /** When nothing was left to be done, in minutes from the start; undefined if something was. */
        allDoneAfter: complete
          ? Math.max(...done.map((title) => title.doneAtMs! - startMs)) / 60_000
          : undefined,
      }
    },
  }
}

export type WorkFigures = ReturnType<ReturnType<typeof createWork>['figures']>
