// Viewers in bulk, second by second: who comes, finds a place or waits for one, gives up, leaves. A million cost no more than ten.
import type { Place, PoolPlan } from '../../shared/fleet/plan.ts'
import type { Agenda } from './agenda.ts'
import { createChance } from './chance.ts'
import { viewersAt } from './curve.ts'
import { createDelays, openingSecondsOf } from './delays.ts'
import type { Load } from './load.ts'
import type { Scenario, ViewersPart } from './scenario.ts'

/** Who came in the same second, or lost their place in it. */
interface Cohort {
  readonly sinceMs: number
  viewers: number
  readonly isNew: boolean
}

/** A session counts as served for a minute after its last request, as the edges' meter has it. */
const meterSeconds = 60

const bytesPerViewer = ({ kilobitsPerSecond }: ViewersPart): number => (kilobitsPerSecond * 1000) / 8

export const placesOn = ({ group }: Place, viewers: ViewersPart): number =>
  Math.min(group.sessions, group.bytesPerSecond / bytesPerViewer(viewers))

export interface AudienceOptions {
  readonly scenario: Scenario
  readonly viewers: ViewersPart
  readonly plan: Pick<PoolPlan, 'appSessions'>
  readonly agenda: Agenda
  readonly seed: number
}

export function createAudience({ scenario, viewers, plan, agenda, seed }: AudienceOptions) {
  const startMs = agenda.now()
  const chance = createChance(seed, 'viewers')
  const delays = createDelays()
  const rate = bytesPerViewer(viewers)
  const opening = {
    roundTripSeconds: viewers.roundTripMs / 1000,
    lineBytesPerSecond: (viewers.lineMegabits * 1e6) / 8,
    bytesPerSecond: rate,
  }
  const ready = new Map<string, number>()
  let places = 0
  /** With those of the app's own instances, as far as the plan counts on them. */
  const seats = () => places + plan.appSessions
  let served = viewersAt(viewers.curve, 0)
  let waiting: Cohort[] = []
  /** Gave up; they would still be watching. */
  let without = 0
  const tally = { arrived: served, finished: 0, refused: 0, secondsWanted: 0, secondsWithout: 0 }
  /** Of the last minute's seconds: who left; and of as many as a beat is late: what the meters showed. */
  const left: number[] = []
  const shown: Array<{ sessions: number; bytesPerSecond: number }> = []

  const inLine = (): number => waiting.reduce((sum, cohort) => sum + cohort.viewers, 0)
  const refuse = (cohort: Cohort, count: number): void => {
    tally.refused += count
    if (cohort.isNew) delays.addNever(count)
  }

  function leave(share: number): void {
    left.push(served * share)
    if (left.length > meterSeconds) left.shift()
    tally.finished += served * share
    served *= 1 - share
    without *= 1 - share
    for (const cohort of waiting) {
      refuse(cohort, cohort.viewers * share)
      cohort.viewers *= 1 - share
    }
  }

  function giveUp(): void {
    const patient = agenda.now() - viewers.patienceSeconds * 1000
    for (const cohort of waiting)
      if (cohort.sinceMs < patient) {
        refuse(cohort, cohort.viewers)
        without += cohort.viewers
      }
    waiting = waiting.filter(({ sinceMs }) => sinceMs >= patient)
  }

  /** Who lost the place comes before who never had one. */
  function seat(): void {
    if (served > seats()) {
      waiting.unshift({ sinceMs: agenda.now(), viewers: served - seats(), isNew: false })
      served = seats()
    }
    for (const cohort of waiting) {
      const seated = Math.min(cohort.viewers, seats() - served)
      if (seated <= 0) break
      cohort.viewers -= seated
      served += seated
      if (!cohort.isNew) continue
      const waited = (agenda.now() - cohort.sinceMs) / 1000
      for (const { seconds, weight } of openingSecondsOf(opening, served / seats()))
        delays.add(waited + seconds, seated * weight)
    }
    waiting = waiting.filter((cohort) => cohort.viewers > 1e-9)
  }

  const remove = (place: Place): void => {
    ready.delete(place.id)
    places = [...ready.values()].reduce((sum, count) => sum + count, 0)
  }

  const load: Load = {
    joined(place) {
      ready.set(place.id, placesOn(place, viewers))
      places += placesOn(place, viewers)
    },
    leaving(place, empty) {
      remove(place)
      agenda.after(scenario.beatSeconds * 1000, empty)
    },
    gone: remove,
    step() {
      const minute = (agenda.now() - startMs) / 60_000
      const wanted = viewersAt(viewers.curve, minute)
      const growth = viewersAt(viewers.curve, minute + 1 / 60) - wanted
      // In balance as many come as leave; a curve that falls faster than people leave by themselves takes them along.
      const coming = Math.max(0, growth + wanted / (viewers.stayMinutes * 60))
      leave(wanted > 0 ? Math.min(1, (coming - growth) / wanted) : 1)
      const come = chance.arrivals(coming)
      tally.arrived += come
      if (come > 0) waiting.push({ sinceMs: agenda.now(), viewers: come, isNew: true })
      giveUp()
      seat()
      const line = inLine()
      tally.secondsWanted += served + line + without
      tally.secondsWithout += line + without
      const recent = left.reduce((sum, count) => sum + count, 0)
      shown.push({ sessions: served + line + recent, bytesPerSecond: served * rate })
      if (shown.length > 1 + Math.ceil(scenario.beatSeconds)) shown.shift()
    },
    demand() {
      const [told] = shown
      return {
        kind: 'audience',
        sessions: Math.round(told?.sessions ?? served),
        bytesPerSecond: told?.bytesPerSecond ?? served * rate,
      }
    },
    utilisation: () => Math.min(1, places === 0 ? inLine() : served / places),
    of(place) {
      const share = places === 0 ? 0 : (ready.get(place.id) ?? 0) / seats()
      const load = {
        sessions: Math.round(served * share),
        bytesPerSecond: served * share * rate,
        cpu: places === 0 ? 0 : served / seats(),
      }
      return { holds: [], load }
    },
    gauge: () => ({ wanted: served + inLine() + without, places: seats(), without: inLine() + without }),
  }

  return {
    load,
    figures: () => ({ ...tally, watching: served, waiting: inLine(), delays: delays.read() }),
  }
}

export type AudienceFigures = ReturnType<ReturnType<typeof createAudience>['figures']>
