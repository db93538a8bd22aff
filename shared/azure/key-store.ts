// Wrapped content keys, in the container `keys`: one partition per title, and one for the platform's own secrets.
import { z } from 'zod'
import { idPattern } from '../core/ids.ts'
import type { KeyStore, WrappedKeys } from '../protect/ports.ts'
import type { Documents, Schema } from './documents.ts'

const schema: Schema<WrappedKeys> = z.object({
  id: z.string(),
  assetId: z.custom<WrappedKeys['assetId']>((v) => v === 'platform' || idPattern('ast').test(String(v))),
  type: z.literal('keys'),
  schema: z.literal(1),
  tenantId: z
    .custom<WrappedKeys['tenantId'] & string>((v) => idPattern('ten').test(String(v)))
    .exactOptional(),
  kekId: z.string(),
  wrapped: z.base64(),
  keys: z.array(z.object({ keyId: z.string(), rendition: z.string() })),
})

export const keyKind = { partition: 'assetId', type: 'keys', schema }

export const createKeyStore = (keys: Documents<WrappedKeys>): KeyStore => ({
  create: keys.create,
  get: keys.get,
  update: keys.update,
  findWrappedByOther: (kekId, limit) => keys.find('c.kekId != @kekId', { kekId }, limit),
  remove: keys.remove,
  removeAll: keys.removeAll,
})
