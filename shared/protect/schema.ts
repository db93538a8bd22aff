// What a tenant says when a viewer wants to watch, and what it is told.
import { z } from 'zod'

export const PlaybackRequest = z
  .object({
    /** Whoever watches, in the tenant's own words. */
    viewer: z.string().min(1).max(200).optional(),
    ttlSeconds: z.number().int().min(1).max(604_800).optional(),
  })
  .strict()
  .meta({ id: 'PlaybackRequest' })

export const Playback = z
  .object({
    sessionId: z.string(),
    token: z.string(),
    hlsUrl: z.url(),
    posterUrl: z.url(),
    expiresAt: z.string(),
  })
  .meta({ id: 'Playback' })

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
