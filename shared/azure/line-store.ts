// The line of each tenant's titles that wait to be encoded, in the container `units`: one document, changed by its ETag.
import { z } from 'zod'
import type { AssetId } from '../core/ids.ts'
import { idPattern } from '../core/ids.ts'
import type { LineStore } from '../encode/ports.ts'
import type { Documents, Schema } from './documents.ts'

interface LineDocument {
  readonly id: string
  readonly jobId: string
  readonly type: 'line'
  readonly schema: 1
  readonly running: readonly AssetId[]
  readonly waiting: readonly AssetId[]
}

const assetIds = z.array(z.custom<AssetId>((v) => typeof v === 'string' && idPattern('ast').test(v)))
const schema: Schema<LineDocument> = z.object({
  id: z.string(),
  jobId: z.string(),
  type: z.literal('line'),
  schema: z.literal(1),
  running: assetIds,
  waiting: assetIds,
})

export const lineKind = { partition: 'jobId', type: 'line', schema }

export const createLineStore = (lines: Documents<LineDocument>): LineStore => ({
  get: (tenantId) => lines.get(lineId(tenantId), lineId(tenantId)),
  async change(tenantId, change) {
    const id = lineId(tenantId)
    await lines.change(id, id, (line) => {
      const next = change(line)
      if (next === 'unchanged') return 'unchanged'
      const { running, waiting } = next
      return { id, jobId: id, type: 'line', schema: 1, running, waiting }
    })
  },
})

const lineId = (tenantId: string): string => `line-${tenantId}`
