// The smallest ports that protect can run on: documents in a Map, and a KEK that is a real RSA key.
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto'
import type { Client } from '../../shared/core/client.ts'
import type { Clock } from '../../shared/core/clock.ts'
import type { AssetId, TenantId } from '../../shared/core/ids.ts'
import { Problem } from '../../shared/core/problem.ts'
import { type Random, seededRandom } from '../../shared/core/random.ts'
import type {
  Kek,
  KeyStore,
  Revocation,
  RevocationStore,
  Session,
  SessionStore,
  Slots,
  WrappedKeys,
} from '../../shared/protect/ports.ts'
import type { Tenant } from '../../shared/tenants/model.ts'
import { sampleTenant } from '../support/documents.ts'

export const tenantId: TenantId = 'ten_00000000000000000001'
export const otherTenant: TenantId = 'ten_00000000000000000002'
export const assetId: AssetId = 'ast_00000000000000000001'

export const testRandom = (seed = 'tests'): Random => seededRandom(Buffer.from(seed), 'protect')

export type SettableClock = ReturnType<typeof settableClock>

/** Waits end when their time has come, in its order; `pass` lets everything that they set off happen on the way. */
export function settableClock(startMs = Date.UTC(2030, 0, 1)) {
  let nowMs = startMs
  let waits: Array<{ atMs: number; end: () => void }> = []
  const clock: Clock = {
    now: () => nowMs,
    wait: (ms) => new Promise((end) => waits.push({ atMs: nowMs + ms, end })),
  }
  const advance = (ms: number) => {
    nowMs += ms
    const over = waits.filter(({ atMs }) => atMs <= nowMs).toSorted((a, b) => a.atMs - b.atMs)
    waits = waits.filter(({ atMs }) => atMs > nowMs)
    for (const { end } of over) end()
  }
  async function pass(ms: number, turns = 12): Promise<void> {
    const untilMs = nowMs + ms
    for (;;) {
      for (let n = 0; n < turns; n++) await turn()
      const nextMs = Math.min(untilMs, ...waits.map(({ atMs }) => atMs))
      advance(Math.max(0, nextMs - nowMs))
      if (nowMs >= untilMs && !waits.some(({ atMs }) => atMs <= nowMs)) break
    }
    for (let n = 0; n < turns; n++) await turn()
  }
  return { ...clock, advance, pass }
}

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

export function countingKek() {
  const count = { wrap: 0, unwrap: 0 }
  const kek: Kek = {
    currentId: async () => 'kek/1',
    async wrap(plain) {
      count.wrap++
      return { kekId: 'kek/1', wrapped: publicEncrypt({ key: pair.publicKey, ...oaep }, plain) }
    },
    async unwrap(_kekId, wrapped) {
      count.unwrap++
      return privateDecrypt({ key: pair.privateKey, ...oaep }, wrapped)
    },
  }
  return { kek, count }
}

/** Each call takes a turn of the event loop, so that callers at once really interleave. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

export function keyDocuments(): KeyStore & { all: Map<string, WrappedKeys> } {
  const all = new Map<string, WrappedKeys>()
  return {
    all,
    async create(document) {
      await turn()
      const name = `${document.assetId}/${document.id}`
      if (all.has(name)) return false
      all.set(name, structuredClone(document))
      return true
    },
    async get(asset, id) {
      await turn()
      return structuredClone(all.get(`${asset}/${id}`))
    },
    async update(asset, id, change) {
      await turn()
      const current = all.get(`${asset}/${id}`)
      if (!current) throw new Problem('not-found')
      const next = change(structuredClone(current))
      if (next !== 'unchanged') all.set(`${asset}/${id}`, next)
      return next === 'unchanged' ? current : next
    },
    async findWrappedByOther(kekId, limit) {
      await turn()
      return structuredClone([...all.values()].filter((each) => each.kekId !== kekId).slice(0, limit))
    },
    async remove(asset, id) {
      await turn()
      all.delete(`${asset}/${id}`)
    },
    async removeAll(asset) {
      await turn()
      for (const name of all.keys()) if (name.startsWith(`${asset}/`)) all.delete(name)
    },
  }
}

export interface SessionDocuments extends SessionStore {
  readonly all: Map<string, Session>
  readonly viewers: Map<string, Slots>
  /** Ids of what was read, and of what was written. */
  readonly reads: string[]
  readonly writes: string[]
  /** While it is not there, everything fails as the real one does. */
  away: boolean
}

export function sessionDocuments(clock: Pick<Clock, 'now'>): SessionDocuments {
  const all = new Map<string, Session>()
  const viewers = new Map<string, Slots>()
  const reads: string[] = []
  const writes: string[] = []
  const reach = async () => {
    await turn()
    if (store.away) throw new Problem('unavailable')
  }
  const store: SessionDocuments = {
    all,
    viewers,
    reads,
    writes,
    away: false,
    now: () => clock.now(),
    async create(session) {
      await reach()
      if (all.has(session.id)) return false
      all.set(session.id, structuredClone(session))
      return true
    },
    async get(viewerKey, id) {
      reads.push(id)
      await reach()
      const found = all.get(id)
      return found?.viewerKey === viewerKey ? structuredClone(found) : undefined
    },
    async update(viewerKey, id, change) {
      await reach()
      const current = all.get(id)
      if (current?.viewerKey !== viewerKey) throw new Problem('not-found')
      const next = change(structuredClone(current))
      if (next === 'unchanged') return current
      all.set(id, next)
      return next
    },
    async slots(viewerKey) {
      reads.push(viewerKey)
      await reach()
      return structuredClone(viewers.get(viewerKey))
    },
    async changeSlots(viewerKey, change) {
      for (;;) {
        await reach()
        const current = viewers.get(viewerKey)
        const next = change(structuredClone(current))
        if (next === 'unchanged') return current
        await reach()
        // As an ETag does it: whoever was slower reads and decides again.
        if (viewers.get(viewerKey) !== current) continue
        writes.push(viewerKey)
        viewers.set(viewerKey, structuredClone(next))
        return next
      }
    },
    async findLive({ tenantId, seenSinceMs, limit }) {
      await reach()
      return [...viewers.values()]
        .filter((slots) => slots.tenantId === tenantId && slots.seenAtMs >= seenSinceMs)
        .slice(0, limit)
    },
  }
  return store
}

function revocationDocuments(clock: Pick<Clock, 'now'>) {
  const all = new Map<string, { revocation: Revocation; seconds: number }>()
  const store: RevocationStore & { polls: number; away: boolean } = {
    polls: 0,
    away: false,
    async add(revocation) {
      await turn()
      if (store.away) throw new Problem('unavailable')
      all.set(revocation.id, { revocation, seconds: Math.floor(clock.now() / 1000) })
    },
    async since(shard, sinceSeconds) {
      store.polls++
      await turn()
      if (store.away) throw new Problem('unavailable')
      const found = [...all.values()].filter(
        ({ revocation, seconds }) => revocation.shard === shard && seconds >= sinceSeconds,
      )
      const latestSeconds = Math.max(sinceSeconds, ...found.map(({ seconds }) => seconds))
      return { found: found.map(({ revocation }) => revocation), latestSeconds }
    },
  }
  return store
}

/** What a session needs of everything that is not under test. */
export const protectPorts = (
  clock: SettableClock,
  tenants: readonly Partial<Tenant>[] = [{ id: tenantId }],
) => ({
  sessions: sessionDocuments(clock),
  revocations: revocationDocuments(clock),
  clock,
  leaseMs: 30_000,
  cutOffMs: 30_000,
  countSession: async () => {},
  tenant: async (id: TenantId) => {
    const found = tenants.find((one) => one.id === id)
    return found && sampleTenant(found)
  },
})

/** Somebody who asks. */
export const clientOf = (userAgent = 'a player', network = '203.0.113.0/24'): Client => ({
  network,
  userAgent,
})
