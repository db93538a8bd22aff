// How opened sessions are counted: in blocks taken ahead while the limit is far, one by one when it is near.
import type { Clock } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import { refuseSession } from './limits.ts'
import type { SessionCount, UsageStore } from './ports.ts'

interface Day {
  readonly day: string
  readonly limit: number | undefined
}

/** Sessions that this node may open: they are counted already, so that no number of nodes opens one too many. */
interface Block extends Day {
  readonly size: number
  readonly takenAtMs: number
  left: number
}

const largestBlock = 64
/** A block that was used up sooner makes the next one twice as large. */
const busyMs = 10_000
const nearCount = 100
const nearShare = 0.1
const mostTenants = 10_000

/** How many to take at once: never beyond the limit, and near it each one for itself, so that the last is exact. */
export function blockSize(used: number, limit: number | undefined, wanted: number): number {
  const left = limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, limit - used)
  const beforeNear = left - Math.max(nearCount, (limit ?? 0) * nearShare)
  return beforeNear < 1 ? Math.min(1, left) : Math.min(wanted, Math.floor(beforeNear))
}

export function createSessionCount({ store, clock }: { store: UsageStore; clock: Clock }) {
  const blocks = new Map<TenantId, Block>()
  const queues = new Map<TenantId, Promise<unknown>>()

  async function takeBlock(tenantId: TenantId, { day, limit }: Day): Promise<Block> {
    const last = blocks.get(tenantId)
    const busy = last?.day === day && clock.now() - last.takenAtMs < busyMs
    const wanted = busy ? Math.min(2 * last.size, largestBlock) : 1
    let size = 0
    await store.changeSessions(tenantId, (current) => {
      const used = current?.day === day ? current.sessions : 0
      size = blockSize(used, limit, wanted)
      return size === 0 ? 'unchanged' : counted(tenantId, day, used + size)
    })
    return { day, limit, size, takenAtMs: clock.now(), left: size }
  }

  /** What was taken under another limit is no measure under this one. */
  async function takeOne(tenantId: TenantId, { day, limit }: Day): Promise<void> {
    let block = blocks.get(tenantId)
    if (!block || block.left === 0 || block.day !== day || block.limit !== limit) {
      block = await takeBlock(tenantId, { day, limit })
      if (block.size === 0) return refuseSession(limit ?? 0)
      blocks.delete(tenantId)
      blocks.set(tenantId, block)
      if (blocks.size > mostTenants) blocks.delete(blocks.keys().next().value as TenantId)
    }
    block.left--
  }

  /** One after another for each tenant: those who wait here share the block that the first of them takes. */
  return async (tenantId: TenantId, day: Day): Promise<void> => {
    const turn = (queues.get(tenantId) ?? Promise.resolve()).then(() => takeOne(tenantId, day))
    const settled = turn.catch(() => {})
    queues.set(tenantId, settled)
    try {
      await turn
    } finally {
      if (queues.get(tenantId) === settled) queues.delete(tenantId)
    }
  }
}

const counted = (tenantId: TenantId, day: string, sessions: number): SessionCount => ({
  id: 'sessions',
  tenantId,
  type: 'session-count',
  schema: 1,
  day,
  sessions,
})
