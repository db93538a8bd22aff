// Revocations, in the container `revocations`: one partition per shard, polled by the time that Cosmos itself wrote.
import { z } from 'zod'
import type { Revocation, RevocationStore } from '../protect/ports.ts'
import type { Documents, Schema } from './documents.ts'

const schema: Schema<Revocation> = z.object({
  id: z.string(),
  shard: z.string(),
  type: z.literal('revocation'),
  schema: z.literal(1),
  kind: z.enum(['session', 'viewer']),
  subject: z.string(),
  atMs: z.number(),
  ttl: z.number().int().min(1),
})

export const revocationKind = { partition: 'shard', type: 'revocation', schema }

export const createRevocationStore = (revocations: Documents<Revocation>): RevocationStore => ({
  add: revocations.put,
  since: async (shard, sinceSeconds) => {
    const { items, latestSeconds } = await revocations.since(shard, sinceSeconds)
    return { found: items, latestSeconds }
  },
})
