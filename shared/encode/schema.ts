// What a tenant says to control an encode, and what it is told.
import { z } from 'zod'

export const EncodeRequest = z
  .object({ profile: z.enum(['standard']).default('standard') })
  .strict()
  .meta({ id: 'EncodeRequest' })

/** `version` is the one that takes over. */
export const EncodeStarted = z
  .object({ assetId: z.string(), version: z.number().int() })
  .meta({ id: 'EncodeStarted' })

export const EncodeCancelled = z
  .object({ assetId: z.string(), state: z.enum(['ready', 'failed']) })
  .meta({ id: 'EncodeCancelled' })
