// The audit, in the container `audit`: one partition per tenant; their `ttl` deletes entries.
import { z } from 'zod'
import { idPattern, type KeyId } from '../core/ids.ts'
import { Role } from '../tenants/model.ts'
import type { AuditEntry, AuditStore } from '../tenants/ports.ts'
import type { Documents, Schema } from './documents.ts'

const schema: Schema<AuditEntry> = z.object({
  id: z.string(),
  tenantId: z.custom<AuditEntry['tenantId']>((v) => v === 'platform' || idPattern('ten').test(String(v))),
  type: z.literal('audit'),
  schema: z.literal(1),
  at: z.string(),
  who: z.union([
    z.object({
      kind: z.literal('key'),
      keyId: z.custom<KeyId & string>((v) => idPattern('key').test(String(v))),
      role: Role,
    }),
    z.object({ kind: z.literal('admin') }),
  ]),
  action: z.string(),
  params: z.record(z.string(), z.string()),
  changes: z.record(z.string(), z.unknown()),
  requestId: z.string(),
  outcome: z
    .object({
      status: z.number(),
      code: z.string().exactOptional(),
      made: z.string().exactOptional(),
    })
    .exactOptional(),
  ttl: z.number().int().min(1),
})

export const auditKind = { partition: 'tenantId', type: 'audit', schema }

export const createAuditStore = (entries: Documents<AuditEntry>): AuditStore => ({
  put: entries.put,
  list: (partition, page) => entries.page(partition, { ...page, newestBy: 'at' }),
})
