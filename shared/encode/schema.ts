// What a tenant says to control an encode, and what it is told.
import { z } from 'zod'
import { KeptQuote, Quote } from '../assets/quote.ts'

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

export const QuoteAsked = z
  .object({ assetId: z.string(), state: KeptQuote.shape.state })
  .meta({ id: 'QuoteAsked' })

/** What was found, once the state is `ready`; `error` says why nothing could be. */
export const QuoteView = Quote.partial()
  .extend({ assetId: z.string(), ...KeptQuote.pick({ state: true, error: true }).shape })
  .meta({ id: 'Quote' })
export type QuoteView = z.infer<typeof QuoteView>
