// A worker's side of its node: it takes its place there, says that it lives, and is known by a secret of which only the hash is kept.
import type { Clock } from '../core/clock.ts'
import { constantTimeEqual, sha256Hex } from '../core/hash.ts'
import { createRecent } from '../core/recent.ts'
import { beaten, knownBy, registered } from './machine.ts'
import { poolOf } from './plan.ts'
import type { Beat, Boot, FleetStore, Node } from './ports.ts'

/** A node that is taken for dead is shut out everywhere within this time. */
const freshMs = 2000
const mostCached = 2000
const credentialForm = /^([a-z]+-[a-z0-9]+-\d+)\.([\w-]{43})$/

export function createNodes({ store, clock }: { readonly store: FleetStore; readonly clock: Clock }) {
  const recent = createRecent<{ node: Node | undefined }>({
    clock,
    maxAgeMs: freshMs,
    maxWeight: mostCached,
  })
  /** Boots of this process that heard that they drain. */
  const drains = new Set<string>()

  const find = async (id: string): Promise<Node | undefined> => {
    const pool = poolOf(id)
    return pool && store.node(pool, id)
  }

  async function change(id: string, move: (node: Node) => Node): Promise<Node | undefined> {
    const pool = poolOf(id)
    if (!pool) return undefined
    const after = await store.changeNode(pool, id, (node) => {
      const next = node && move(node)
      return next === undefined || next === node ? 'unchanged' : next
    })
    if (after?.boot && after.state === 'draining') drains.add(after.boot.id)
    return after
  }

  return {
    find,

    /** The node as it is then; the place is taken only if it names this boot. Undefined where nobody ever woke it. */
    register: (id: string, boot: Omit<Boot, 'atMs'>): Promise<Node | undefined> =>
      change(id, (node) => registered(node, { ...boot, atMs: store.now() })),

    /** The node as it is then: what it says there is what the worker is to do. */
    beat: (id: string, bootId: string, beat: Pick<Beat, 'holds' | 'load'>): Promise<Node | undefined> => {
      const heard = drains.has(bootId) ? { drains: true as const } : {}
      return change(id, (node) => beaten(node, bootId, { ...beat, ...heard, atMs: store.now() }))
    },

    /** The id of the node whose credential, `{node}.{secret}`, this is. */
    async authenticate(credential: string): Promise<string | undefined> {
      const [, id, secret] = credentialForm.exec(credential) ?? []
      if (id === undefined || secret === undefined) return undefined
      const sha256 = sha256Hex(secret)
      // By secret too: a worker that has just taken its place must not meet what was known of the one before.
      const { node } = await recent.get(`${id}.${sha256}`, async () => ({ node: await find(id) }))
      const known = node && knownBy(node, store.now())
      return known !== undefined && constantTimeEqual(sha256, known) ? id : undefined
    },
  }
}
