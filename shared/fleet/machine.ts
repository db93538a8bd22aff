// The states of a node and what moves it on; whatever is late, repeated or of an earlier wake gives back the very same node.
import type { Beat, Boot, Node, NodeState, PoolName, Reason } from './ports.ts'

/** As one that was never touched is. */
export const asleep = (pool: PoolName, id: string): Node => ({
  ...{ id, pool, type: 'node', schema: 2, state: 'stopped' },
  ...{ sinceMs: 0, epoch: 0, drivenAtMs: 0, failures: 0, notBeforeMs: 0 },
})

/** It is paid for until it is deallocated. */
export const isAwake = ({ state }: Pick<Node, 'state'>): boolean => state !== 'stopped'

export const serves = ({ state }: Node): boolean => state === 'ready' || state === 'draining'
/** In the hands of an errand. */
const isMoving = ({ state }: Node): boolean =>
  state === 'starting' || state === 'draining' || state === 'stopping' || state === 'failed'

const into = (node: Node, state: NodeState, nowMs: number): Node => ({
  ...node,
  state,
  sinceMs: nowMs,
  drivenAtMs: nowMs,
})

/** With no worker on it: the secret of the one that was there is worth nothing any more. */
function vacant(node: Node): Node {
  const { boot: _boot, beat: _beat, leaving: _leaving, ...rest } = node
  return rest
}

/** By then the claims of a worker that does not give back what it holds have lapsed. */
const leavingMs = 30_000

/** With a while to give back what it holds; nobody who has not been heard for as long is waited for. */
function leaving(node: Node, nowMs: number): Pick<Node, 'leaving'> {
  if (!node.boot || nowMs - heardAtMs(node) >= leavingMs) return {}
  return { leaving: { sha256: node.boot.sha256, untilMs: nowMs + leavingMs } }
}

const mostDoublings = 5
/** A machine that disappoints again and again is left alone for longer and longer. */
const failed = (node: Node, nowMs: number, restMs: number): Node => ({
  ...node,
  failures: node.failures + 1,
  notBeforeMs: nowMs + restMs * 2 ** Math.min(node.failures, mostDoublings),
})

export function woken(node: Node, reason: Reason, nowMs: number): Node {
  if (node.state !== 'stopped' || nowMs < node.notBeforeMs) return node
  return { ...vacant(into(node, 'starting', nowMs)), epoch: node.epoch + 1, reason }
}

/** A worker that its service manager started again takes the place of the one before; what that one had is not its. */
export function registered(node: Node, boot: Boot): Node {
  if (node.boot && (node.boot.id === boot.id || boot.atMs < node.boot.atMs)) return node
  if (node.state === 'starting') return { ...into(node, 'ready', boot.atMs), boot }
  return serves(node) ? { ...vacant(node), boot } : node
}

export function beaten(node: Node, bootId: string, beat: Beat): Node {
  if (!serves(node) || node.boot?.id !== bootId || beat.atMs < (node.beat?.atMs ?? 0)) return node
  return { ...node, beat }
}

/** One that holds nothing yet is stopped at once. */
export function drainAsked(node: Node, reason: Reason, nowMs: number): Node {
  if (node.state === 'ready') return { ...into(node, 'draining', nowMs), reason }
  return node.state === 'starting' ? { ...into(node, 'stopping', nowMs), reason } : node
}

/** Until then, as an admin asks. */
export const keptAsleep = (node: Node, untilMs: number): Node =>
  node.notBeforeMs >= untilMs ? node : { ...node, notBeforeMs: untilMs, reason: 'asked' }

/** An admin who wants nodes, or wants nothing any more, takes back what an admin said of one. */
export const mayWake = (node: Node): Node =>
  node.state === 'stopped' && node.reason === 'asked' && node.notBeforeMs > 0
    ? { ...node, notBeforeMs: 0 }
    : node

/** Only a worker that has heard that it drains is empty: until then it may take something at the same moment. */
const isEmpty = ({ beat }: Node): boolean => beat?.drains === true && beat.holds.length === 0

/** Which wake, and when. */
interface At {
  readonly epoch: number
  readonly nowMs: number
}

/** From here on the machine may be deallocated. */
export function released(node: Node, { epoch, nowMs, drainMs }: At & { drainMs: number }): Node {
  if (node.epoch !== epoch) return node
  if (node.state === 'failed') return vacant(into(node, 'stopping', nowMs))
  if (node.state !== 'draining') return node
  const isDone = isEmpty(node)
  if (!isDone && nowMs - node.sinceMs < drainMs) return node
  return { ...vacant(into(node, 'stopping', nowMs)), failures: 0, ...(isDone ? {} : leaving(node, nowMs)) }
}

/** A wake that comes to nothing. */
export function gaveUp(
  node: Node,
  { epoch, nowMs, reason, restMs }: At & { reason: Reason; restMs: number },
): Node {
  if (node.epoch !== epoch || node.state !== 'starting') return node
  return { ...failed(into(node, 'stopping', nowMs), nowMs, restMs), reason }
}

export const isLate = (node: Node, nowMs: number, lateMs: number): boolean =>
  node.state === 'starting' && nowMs - node.sinceMs >= lateMs

/** When a worker on it was last heard. */
export const heardAtMs = ({ boot, beat }: Node): number => Math.max(boot?.atMs ?? 0, beat?.atMs ?? 0)

export const isSilent = (node: Node, nowMs: number, deadMs: number): boolean =>
  serves(node) && nowMs - heardAtMs(node) >= deadMs

/** By which hash its worker's secret is known now: while it serves, and a little longer if it was told to leave. */
export function knownBy(node: Node, nowMs: number): string | undefined {
  if (serves(node)) return node.boot?.sha256
  return node.leaving && nowMs < node.leaving.untilMs ? node.leaving.sha256 : undefined
}

/** Taken for dead. */
export function lost(node: Node, nowMs: number, restMs: number): Node {
  if (!serves(node)) return node
  return { ...failed(into(node, 'failed', nowMs), nowMs, restMs), reason: 'lost' }
}

export function deallocated(node: Node, { epoch, nowMs }: At): Node {
  return node.epoch === epoch && node.state === 'stopping' ? vacant(into(node, 'stopped', nowMs)) : node
}

/** Its machine runs, and nobody of ours asked for it. */
export const runsUnasked = (node: Node, nowMs: number): Node =>
  node.state === 'stopped' ? { ...into(node, 'stopping', nowMs), reason: 'not-asked' } : node

export const driven = (node: Node, { epoch, nowMs }: At): Node =>
  isMoving(node) && node.epoch === epoch && nowMs > node.drivenAtMs ? { ...node, drivenAtMs: nowMs } : node

/** Its errand was lost, or never began. */
export const isStranded = (node: Node, nowMs: number, strandedMs: number): boolean =>
  isMoving(node) && nowMs - node.drivenAtMs >= strandedMs
