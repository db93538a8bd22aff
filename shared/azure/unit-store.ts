// Encode's units of work, in the container `units`: one partition per job.
import { z } from 'zod'
import type { Unit, UnitStore } from '../encode/ports.ts'
import type { Documents, Schema } from './documents.ts'

const schema: Schema<Unit> = z.object({
  id: z.string(),
  jobId: z.string(),
  type: z.literal('unit'),
  schema: z.literal(1),
  kind: z.enum(['chunk', 'audio']),
  frames: z.number(),
  done: z.boolean(),
  sizes: z.record(z.string(), z.array(z.number())),
  firstSegment: z.number().int(),
})

export const unitKind = { partition: 'jobId', type: 'unit', schema }

export const createUnitStore = (units: Documents<Unit>): UnitStore => ({
  put: units.put,
  get: units.get,
  list: units.all,
  since: units.since,
  removeJob: units.removeAll,
})
