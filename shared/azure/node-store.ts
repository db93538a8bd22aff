// The nodes of the fleet, in the container `fleet`: a partition a pool.
import { z } from 'zod'
import type { FormerNode, NodeStore } from '../fleet/ports.ts'
import type { Documents, Schema } from './documents.ts'

const schema: Schema<FormerNode> = z.object({
  id: z.string(),
  pool: z.literal('encoder'),
  type: z.literal('node'),
  schema: z.literal(1),
  sha256: z.string(),
  createdAt: z.string(),
})

/** Documents with states are none of these. */
const isPast = (raw: Readonly<Record<string, unknown>>): boolean => raw['schema'] !== 1
export const formerNodeKind = { partition: 'pool', type: 'node', schema, isPast }

export const createNodeStore = (nodes: Documents<FormerNode>): NodeStore => ({
  get: nodes.get,
  all: nodes.all,
  put: nodes.put,
  remove: nodes.remove,
})
