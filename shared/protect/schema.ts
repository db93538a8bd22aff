// What a tenant says when a viewer wants to watch or has to stop, and what it is told.
import { z } from 'zod'
import { Policy } from '../tenants/policy.ts'
import { grantMaxSeconds, ttlMaxSeconds } from './grant.ts'

/** Whoever watches, in the tenant's own words; half of a surrogate pair would be hashed as every other half is. */
const viewer = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => name.isWellFormed(), 'must not hold half of a surrogate pair')

export const PlaybackRequest = z
  .object({
    viewer: viewer.optional(),
    /** How long the session may be idle. */
    ttlSeconds: z.number().int().min(1).max(ttlMaxSeconds).optional(),
    /** Stands over the tenant's own, field by field. */
    policy: Policy.optional(),
  })
  .strict()
  .meta({ id: 'PlaybackRequest' })

export const Playback = z
  .object({
    sessionId: z.string(),
    token: z.string(),
    hlsUrl: z.url(),
    posterUrl: z.url(),
    storyboardUrl: z.url(),
    expiresAt: z.string(),
  })
  .meta({ id: 'Playback' })

export const SessionQuery = z.object({
  viewer: viewer.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

/** One client that plays now. `viewer` and `client` tell one from another and nothing else. */
const LiveSession = z
  .object({
    sessionId: z.string(),
    assetId: z.string(),
    viewer: z.string(),
    client: z.string(),
    openedAt: z.string(),
    seenAt: z.string(),
  })
  .meta({ id: 'LiveSession' })
export const LiveSessions = z.object({ items: z.array(LiveSession) }).meta({ id: 'LiveSessions' })

/** What is over from now on: one session, all of a viewer, all of a title, or all that a signing key opened. */
export const RevocationRequest = z
  .object({
    sessionId: z.string().max(100).optional(),
    viewer: viewer.optional(),
    assetId: z.string().max(100).optional(),
    signingKeyId: z.string().max(100).optional(),
  })
  .strict()
  .refine(
    (body) => Object.values(body).filter((value) => value !== undefined).length === 1,
    'name exactly one of sessionId, viewer, assetId and signingKeyId',
  )
  .meta({ id: 'RevocationRequest' })

export const GrantRequest = z
  .object({
    viewer: viewer.optional(),
    expiresInSeconds: z.number().int().min(1).max(grantMaxSeconds).default(3600),
    ttlSeconds: z.number().int().min(1).max(ttlMaxSeconds).optional(),
    policy: Policy.optional(),
  })
  .strict()
  .meta({ id: 'GrantRequest' })

export const Grant = z
  .object({ grant: z.string(), hlsUrl: z.url(), expiresAt: z.string() })
  .meta({ id: 'Grant' })

export const GrantCheckRequest = z
  .object({ grant: z.string().min(1).max(16_384) })
  .strict()
  .meta({ id: 'GrantCheckRequest' })

/** `reason` is a code that never changes; `detail` is a sentence for whoever writes the backend. */
export const GrantCheck = z
  .object({ accepted: z.boolean(), reason: z.string().optional(), detail: z.string() })
  .meta({ id: 'GrantCheck' })

export const RekeyStarted = z
  .object({
    assetId: z.string(),
    /** Of the keys that are on their way: 1 for the first that replace those of the encode. */
    generation: z.number().int(),
  })
  .meta({ id: 'RekeyStarted' })

export const RewrapStarted = z
  .object({
    instanceId: z.string(),
    /** The newest KEK. */
    kekId: z.string(),
    /** Envelopes that another one wrapped when this was asked; 1000 stands for any more. */
    remaining: z.number().int(),
  })
  .meta({ id: 'RewrapStarted' })
