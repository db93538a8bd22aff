// Playback sessions and their viewers' slots, in the container `sessions`: one partition per viewer; their `ttl` deletes them.
import { z } from 'zod'
import { idPattern, type SigningKeyId } from '../core/ids.ts'
import type { Session, SessionStore, Slots } from '../protect/ports.ts'
import type { Documents, Schema } from './documents.ts'

const tenantId = z.custom<Session['tenantId']>((v) => idPattern('ten').test(String(v)))
const assetId = z.custom<Session['assetId']>((v) => idPattern('ast').test(String(v)))

const session: Schema<Session> = z.object({
  id: z.string(),
  viewerKey: z.string(),
  type: z.literal('session'),
  schema: z.literal(2),
  tenantId,
  assetId,
  createdAt: z.string(),
  ttlSeconds: z.number().int().min(1),
  endsAt: z.string(),
  /** Checked when the session was opened. */
  policy: z.custom<Session['policy']>((v) => typeof v === 'object' && v !== null),
  signingKeyId: z.custom<SigningKeyId & string>((v) => idPattern('sig').test(String(v))).exactOptional(),
  revokedAt: z.string().exactOptional(),
  ttl: z.number().int().min(1),
})

const slots: Schema<Slots> = z.object({
  id: z.literal('slots'),
  viewerKey: z.string(),
  type: z.literal('slots'),
  schema: z.literal(1),
  tenantId,
  streams: z.array(
    z.object({
      sessionId: z.string(),
      assetId,
      client: z.string(),
      bound: z.boolean(),
      openedAtMs: z.number(),
      seenAtMs: z.number(),
      ttlSeconds: z.number(),
    }),
  ),
  seenAtMs: z.number(),
  revokedAt: z.string().exactOptional(),
  ttl: z.number().int().min(1),
})

const slotsId = 'slots'

/** Those of version 1 ended by themselves within days, and have no policy: their viewers open new ones. */
const isPast = (raw: Readonly<Record<string, unknown>>): boolean => raw['schema'] === 1

export const sessionKind = { partition: 'viewerKey', type: 'session', schema: session, isPast }
export const slotsKind = { partition: 'viewerKey', type: 'slots', schema: slots }

export interface SessionDocuments {
  readonly sessions: Documents<Session>
  readonly slots: Documents<Slots>
  readonly now: () => number
}

export const createSessionStore = ({ sessions, slots, now }: SessionDocuments): SessionStore => ({
  now,
  create: sessions.create,
  get: sessions.get,
  update: sessions.update,
  slots: (viewerKey) => slots.get(viewerKey, slotsId),
  changeSlots: (viewerKey, change) => slots.change(viewerKey, slotsId, change),
  findLive: ({ tenantId, seenSinceMs, limit }) =>
    slots.find('c.tenantId = @tenantId AND c.seenAtMs >= @seenSinceMs', { tenantId, seenSinceMs }, limit),
})
