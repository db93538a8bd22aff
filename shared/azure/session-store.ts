// Playback sessions, in the container `sessions`: a partition a viewer, deleted by Cosmos when their `ttl` is over.
import { z } from 'zod'
import { idPattern } from '../core/ids.ts'
import type { Session, SessionStore } from '../protect/ports.ts'
import type { Documents, Schema } from './documents.ts'

const schema: Schema<Session> = z.object({
  id: z.string(),
  viewerKey: z.string(),
  type: z.literal('session'),
  schema: z.literal(1),
  tenantId: z.custom<Session['tenantId']>((v) => idPattern('ten').test(String(v))),
  assetId: z.custom<Session['assetId']>((v) => idPattern('ast').test(String(v))),
  createdAt: z.string(),
  expiresAt: z.string(),
  revokedAt: z.string().exactOptional(),
  ttl: z.number().int().min(1),
})

export const sessionKind = { partition: 'viewerKey', type: 'session', schema }

export const createSessionStore = (sessions: Documents<Session>): SessionStore => ({
  create: sessions.create,
  get: sessions.get,
  update: sessions.update,
})
