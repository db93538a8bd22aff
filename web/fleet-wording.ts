// What a fleet is doing, in the words that an admin reads.
import type { Demand, FleetNode, Held, Pool } from './fleet-api.ts'
import { bitrate, moment, money, span } from './wording.ts'

const plural = (count: number, word: string): string =>
  `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`

export const machines = (count: number): string => plural(count, 'machine')

export const poolName = ({ pool }: Pick<Pool, 'pool'>): string => (pool === 'encoder' ? 'Encoders' : 'Edges')

/** How a tile looks; its words are what counts, the colour repeats them. */
export type Look = 'asleep' | 'waking' | 'awake' | 'working' | 'draining' | 'stopping' | 'failed'

export const lookWords: Readonly<Record<Look, string>> = {
  asleep: 'Asleep',
  waking: 'Waking',
  awake: 'Awake',
  working: 'Working',
  draining: 'Draining',
  stopping: 'Going to sleep',
  failed: 'Failed',
}

export function lookOf({ state, holds, load }: Pick<FleetNode, 'state' | 'holds' | 'load'>): Look {
  if (state === 'ready') return holds.length > 0 || (load?.sessions ?? 0) > 0 ? 'working' : 'awake'
  if (state === 'stopped') return 'asleep'
  return state === 'starting' ? 'waking' : state
}

const reasons: Readonly<Record<string, string>> = {
  demand: 'it is needed',
  minimum: 'so many stay awake at all times',
  asked: 'an admin asked',
  idle: 'no longer needed',
  budget: 'to stay within the budget',
  'no-capacity': 'no capacity for its size in its zone',
  'never-beat': 'it was started, and never reported',
  lost: 'it fell silent and is taken for dead',
  refused: 'the cloud refused to start it',
  'not-asked': 'it ran, though nobody had asked for it',
  'not-planned': 'it is no longer in the plan',
}

/** Whether something went wrong with it, so that its reason is worth reading while it sleeps. */
export const isTrouble = ({ state, failures }: Pick<FleetNode, 'state' | 'failures'>): boolean =>
  state === 'failed' || failures > 0

export function whyWords(node: FleetNode, nowMs: number): string {
  const { reason = '' } = node
  const resting = node.notBefore !== undefined && Date.parse(node.notBefore) > nowMs
  const why = node.state !== 'stopped' || resting || isTrouble(node) ? (reasons[reason] ?? reason) : ''
  return [
    node.state === 'stopped' || !node.since ? '' : `for ${span(nowMs - Date.parse(node.since))}`,
    why,
    node.failures > 1 ? `${node.failures} times in a row` : '',
    resting ? `not woken before ${moment(node.notBefore ?? '', new Date(nowMs))}` : '',
  ]
    .filter(Boolean)
    .join(' · ')
}

export const placeWords = (node: FleetNode, currency: string): string =>
  [node.size, node.zone ? `zone ${node.zone}` : '', `${money(node.pricePerHour, currency)}/h`]
    .filter(Boolean)
    .join(' · ')

/** `encode-ast_1-v2.12` → `chunk 12 of ast_1-v2` */
export function unitWords(unitId: string): string {
  if (unitId === 'audience') return 'its last viewers'
  const dot = unitId.lastIndexOf('.')
  const [job, part] = [unitId.slice(0, dot).replace('encode-', ''), unitId.slice(dot + 1)]
  return dot < 0 ? unitId : `${/^\d+$/.test(part) ? `chunk ${part}` : part} of ${job}`
}

export function loadWords({ load }: Pick<FleetNode, 'load'>): string {
  if (!load) return ''
  const audience =
    load.sessions > 0 ? [plural(load.sessions, 'session'), bitrate(load.bytesPerSecond * 8)] : []
  return [`${Math.round(load.cpu * 100)} % of its cores`, ...audience].join(' · ')
}

/** What there is to do, and how much of it at once. */
export function demandWords(demand: Demand): [string, string] {
  if (demand.kind === 'audience')
    return demand.sessions === 0
      ? ['Nobody is watching', '']
      : [plural(demand.sessions, 'session'), bitrate(demand.bytesPerSecond * 8)]
  if (demand.seconds === 0) return ['Nothing to encode', '']
  return [`${span(demand.seconds * 1000)} of work`, `${plural(demand.parallel, 'part')} at once`]
}

const holds: Readonly<Record<Held, string>> = {
  budget: 'More would pass the budget.',
  maximum: 'The pool may have no more.',
  'no-capacity': 'No other machine can be woken now.',
  asked: 'An admin’s limit allows no more.',
}

export const heldWords = (held: Held | undefined): string => (held ? holds[held] : '')

type Asked = Pick<Pool, 'floor' | 'ceiling' | 'nodes'>

/** What an admin asked for and has not lapsed; empty when there is nothing to take back. */
export function boundWords({ floor, ceiling, nodes }: Asked, nowMs: number): string {
  const resting = nodes.filter(
    ({ state, reason, notBefore }) =>
      state === 'stopped' && reason === 'asked' && Date.parse(notBefore ?? '') > nowMs,
  )
  const named = resting.length === 1 && resting[0] ? `${resting[0].id} is` : `${machines(resting.length)} are`
  return [
    floor ? `At least ${floor.nodes} awake until ${moment(floor.until, new Date(nowMs))}.` : '',
    ceiling ? `At most ${ceiling.nodes} awake until ${moment(ceiling.until, new Date(nowMs))}.` : '',
    resting.length > 0 ? `${named} kept asleep.` : '',
  ]
    .filter(Boolean)
    .join(' ')
}

/** What became of machines since the last look, as one sentence; empty when nothing did. */
export function changeWords(before: readonly FleetNode[], after: readonly FleetNode[]): string {
  const states = new Map(before.map(({ id, state }) => [id, state]))
  const changed = after.filter(({ id, state }) => states.has(id) && states.get(id) !== state)
  if (changed.length > 3) return `${changed.length} machines have changed.`
  return changed.map((node) => `${node.id}: ${lookWords[lookOf(node)].toLowerCase()}.`).join(' ')
}
