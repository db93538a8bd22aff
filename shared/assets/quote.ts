// What an encode is going to be and to cost, as a title's document keeps it: asked for, found, or failed; one file, one quote.
import { z } from 'zod'
import { isoTime } from '../core/clock.ts'
import { Problem, type ProblemCode } from '../core/problem.ts'

const Cost = z.object({
  /** The sum of the lines, exactly. */
  amount: z.number(),
  currency: z.string(),
  lines: z.array(
    z.object({
      rendition: z.string(),
      minutes: z.number(),
      pricePerMinute: z.number(),
      amount: z.number(),
    }),
  ),
})

const QuotedRendition = z.object({
  name: z.string(),
  kind: z.enum(['video', 'audio']),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
})

export const Quote = z.object({
  renditions: z.array(QuotedRendition),
  /** What counts against the tenant's limit. */
  encodedMinutes: z.number(),
  expectedSeconds: z.number().int(),
  cost: Cost,
})
export type Quote = z.infer<typeof Quote>

/** `etag`: of the file that was looked at; another file needs another quote. */
export const KeptQuote = z.object({
  etag: z.string(),
  state: z.enum(['probing', 'ready', 'failed']),
  quote: Quote.optional(),
  error: z.object({ code: z.string(), detail: z.string() }).optional(),
})
export type KeptQuote = z.infer<typeof KeptQuote>

interface Quoted {
  readonly state: string
  readonly updatedAt: string
  readonly quote?: KeptQuote | undefined
}

/** Begins one; one of the same file that is under way or found stays, one that failed is begun again. */
export function quoteAsked<T extends Quoted>(asset: T, facts: { etag: string }, nowMs: number) {
  if (asset.state !== 'uploading') throw new Problem('upload-closed')
  const { quote } = asset
  if (quote?.etag === facts.etag && quote.state !== 'failed') return 'unchanged'
  const asked: KeptQuote = { etag: facts.etag, state: 'probing' }
  return { ...asset, quote: asked, updatedAt: isoTime(nowMs) }
}

export interface QuoteFound {
  readonly etag: string
  readonly found: { readonly quote: Quote } | { readonly error: { code: ProblemCode; detail: string } }
}

/** Late, repeated, or of another file than the one that was asked for, it changes nothing. */
export function quoteFound<T extends Quoted>(asset: T, { etag, found }: QuoteFound) {
  if (asset.quote?.etag !== etag || asset.quote.state !== 'probing') return 'unchanged'
  const kept: KeptQuote = { etag, state: 'quote' in found ? 'ready' : 'failed', ...found }
  return { ...asset, quote: kept }
}
