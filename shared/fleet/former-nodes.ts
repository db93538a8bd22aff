// Who is a node of the fleet: each has a secret of its own, of which only the hash is kept.
import { type Clock, isoTime } from '../core/clock.ts'
import { constantTimeEqual, sha256Hex } from '../core/hash.ts'
import { createRecent } from '../core/recent.ts'
import type { FormerNode, NodeStore } from './ports.ts'

/** A node that was taken out is shut out everywhere within this time. */
const freshMs = 2000
const mostCached = 2000
const pool = 'encoder'
const credentialForm = /^(node_\w{20})\.([\w-]{43})$/

export function createFormerNodes({ store, clock }: { readonly store: NodeStore; readonly clock: Clock }) {
  const recent = createRecent<{ node: FormerNode | undefined }>({
    clock,
    maxAgeMs: freshMs,
    maxWeight: mostCached,
  })
  return {
    /** The id of the node whose credential this is. */
    async authenticate(credential: string): Promise<string | undefined> {
      const [, id, secret] = credentialForm.exec(credential) ?? []
      if (id === undefined || secret === undefined) return undefined
      const { node } = await recent.get(id, async () => ({ node: await store.get(pool, id) }))
      return node && constantTimeEqual(sha256Hex(secret), node.sha256) ? id : undefined
    },

    /** The nodes of a local platform, made elsewhere: these and no others; repeatable. */
    async ensure(nodes: ReadonlyArray<Pick<FormerNode, 'id' | 'sha256'>>): Promise<void> {
      const createdAt = isoTime(clock.now())
      const ids = new Set(nodes.map(({ id }) => id))
      for (const { id } of await store.all(pool)) if (!ids.has(id)) await store.remove(pool, id)
      for (const { id, sha256 } of nodes)
        await store.put({ id, pool, type: 'node', schema: 1, sha256, createdAt })
    },
  }
}
