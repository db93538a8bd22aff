// The smallest ports that protect can run on: documents in a Map, and a KEK that is a real RSA key.
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto'
import type { Clock } from '../../shared/core/clock.ts'
import type { AssetId, TenantId } from '../../shared/core/ids.ts'
import { Problem } from '../../shared/core/problem.ts'
import { type Random, seededRandom } from '../../shared/core/random.ts'
import type { Kek, KeyStore, Session, SessionStore, WrappedKeys } from '../../shared/protect/ports.ts'

export const tenantId: TenantId = 'ten_00000000000000000001'
export const otherTenant: TenantId = 'ten_00000000000000000002'
export const assetId: AssetId = 'ast_00000000000000000001'

export const testRandom = (seed = 'tests'): Random => seededRandom(Buffer.from(seed), 'protect')

export function settableClock(startMs = Date.UTC(2030, 0, 1)) {
  let nowMs = startMs
  const clock: Clock = { now: () => nowMs, wait: async () => {} }
  const advance = (ms: number) => {
    nowMs += ms
  }
  return { ...clock, advance }
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

export function sessionDocuments(): SessionStore & { all: Map<string, Session>; reads: string[] } {
  const all = new Map<string, Session>()
  const reads: string[] = []
  return {
    all,
    reads,
    async create(session) {
      await turn()
      if (all.has(session.id)) return false
      all.set(session.id, structuredClone(session))
      return true
    },
    async get(viewerKey, id) {
      reads.push(id)
      await turn()
      const found = all.get(id)
      return found?.viewerKey === viewerKey ? structuredClone(found) : undefined
    },
    async update(viewerKey, id, change) {
      await turn()
      const current = all.get(id)
      if (current?.viewerKey !== viewerKey) throw new Problem('not-found')
      const next = change(structuredClone(current))
      if (next === 'unchanged') return current
      all.set(id, next)
      return next
    },
  }
}
