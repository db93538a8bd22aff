// Reads what an orchestrator asks for: its list of actions, flattened in the order in which the library numbers them.
import type { RetryPolicy } from './history.ts'

export type Action =
  | { kind: 'activity'; name: string; input: string | undefined; retry?: RetryPolicy }
  | ChildAction
  | { kind: 'timer'; name: ''; fireAt: string | null; isCancelled: boolean }
  | { kind: 'event'; name: string }
  | { kind: 'again'; name: ''; input: string }
  | { kind: 'unsupported'; name: string }

export interface ChildAction {
  kind: 'child'
  name: string
  input: string
  instanceId?: string | undefined
  version?: string | undefined
  retry?: RetryPolicy
}

/** An action that takes a sequence number. */
export type Numbered = Extract<Action, { kind: 'activity' | 'child' | 'timer' }>

export const isNumbered = (action: Action): action is Numbered =>
  action.kind === 'activity' || action.kind === 'child' || action.kind === 'timer'

interface Wire {
  actionType: number
  compoundActions?: Wire[]
  functionName?: string
  input?: unknown
  retryOptions?: RetryPolicy
  instanceId?: string
  version?: string
  fireAt?: string | null
  isCanceled?: boolean
  externalEventName?: string
}

/** Depth first: Task.any (11) and Task.all (12) hold the actions of their members. */
function leaves(actions: readonly Wire[]): Wire[] {
  return actions.flatMap((action) => (action.compoundActions ? leaves(action.compoundActions) : [action]))
}

/** The outer array has one entry from schema V2 on. */
export function readActions(actions: unknown): Action[] {
  return leaves((actions as Wire[][]).flat()).map(readAction)
}

function readAction(wire: Wire): Action {
  const name = wire.functionName ?? ''
  const retry = wire.retryOptions ? { retry: wire.retryOptions } : {}
  switch (wire.actionType) {
    case 0:
    case 1:
      return { kind: 'activity', name, input: activityInput(wire.input), ...retry }
    case 2:
    case 3: {
      const { instanceId, version } = wire
      return { kind: 'child', name, input: JSON.stringify(wire.input ?? null), instanceId, version, ...retry }
    }
    case 4:
      return { kind: 'again', name: '', input: againInput(wire.input) }
    case 5:
      return { kind: 'timer', name: '', fireAt: wire.fireAt ?? null, isCancelled: wire.isCanceled === true }
    case 6:
      return { kind: 'event', name: wire.externalEventName ?? '' }
    default:
      return {
        kind: 'unsupported',
        name: unsupported[wire.actionType] ?? `An action of type ${wire.actionType}`,
      }
  }
}

const unsupported: Record<number, string> = {
  7: 'callEntity',
  8: 'callHttp',
  9: 'signalEntity',
  10: 'signalEntity',
  13: 'df.lock',
  14: 'df.lock',
}

/** The real host hands over the text of a .NET value: a boolean arrives as "True", null as nothing; strings come encoded once already. */
function activityInput(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Strings come encoded once already, other values do not. */
function againInput(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

export interface Repetition {
  /** Place of the action's first listing among the flattened ones. */
  readonly first: number
  /** Places of first listings of all members of the Task.any or Task.all that lists it again; -1 for a new member. */
  readonly members: readonly number[]
}

/** Finds a task that a Task.any or Task.all lists again: the same object, which JSON shows as a new one. */
export function findRepetition(raw: unknown): Repetition | undefined {
  const places = new Map<Wire, number>()
  for (const action of (raw as { actions: Wire[][] }).actions.flat()) {
    const members = leaves([action])
    const known = members.map((member) => places.get(member) ?? -1)
    const first = known.find((place) => place >= 0)
    if (first !== undefined) return { first, members: known }
    for (const member of members) {
      const place = places.get(member)
      if (place !== undefined) return { first: place, members: [place] }
      places.set(member, places.size)
    }
  }
  return undefined
}
