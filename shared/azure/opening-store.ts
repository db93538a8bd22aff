// Titles that wait for their opening, in the container `units`: one partition for all tenants, read before patient work.
import { z } from 'zod'
import type { OpeningStore } from '../encode/ports.ts'
import type { Documents, Schema } from './documents.ts'

interface OpeningDocument {
  readonly id: string
  readonly jobId: string
  readonly type: 'opening'
  readonly schema: 1
}

const partition = 'openings'
const schema: Schema<OpeningDocument> = z.object({
  id: z.string(),
  jobId: z.literal(partition),
  type: z.literal('opening'),
  schema: z.literal(1),
})

export const openingKind = { partition: 'jobId', type: 'opening', schema }

export const createOpeningStore = (openings: Documents<OpeningDocument>): OpeningStore => ({
  add: (assetId) => openings.put({ id: assetId, jobId: partition, type: 'opening', schema: 1 }),
  remove: (assetId) => openings.remove(partition, assetId),
  waits: async (sinceSeconds) => (await openings.since(partition, sinceSeconds)).items.length > 0,
})
