// The price before the work: who asks is answered at once, an activity probes the very file that lies there, and notes what it found.
import { type Asset, present } from '../assets/model.ts'
import type { AssetStore, SourceStore } from '../assets/ports.ts'
import { type KeptQuote, quoteAsked, quoteFound } from '../assets/quote.ts'
import type { Clock } from '../core/clock.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { EncodeDeps } from './deps.ts'
import { planOf } from './prepare.ts'
import { priceOf } from './price.ts'
import type { QuoteView } from './schema.ts'
import { final } from './watch.ts'
import type { Outcome, QuoteTarget } from './work.ts'

export interface QuoteDeps {
  readonly assets: Pick<AssetStore, 'get' | 'update'>
  readonly sources: Pick<SourceStore, 'facts'>
  readonly clock: Clock
}

export function createQuotes({ assets, sources, clock }: QuoteDeps) {
  const find = async (tenantId: TenantId, id: string): Promise<Asset> =>
    present(await assets.get(tenantId, id as AssetId))

  return {
    /** Of the file as it lies there now. Asked again, it is the same quote, until the file is another one. */
    async ask(tenantId: TenantId, id: string): Promise<KeptQuote & QuoteTarget> {
      const asset = await find(tenantId, id)
      if (asset.state !== 'uploading') throw new Problem('upload-closed')
      const facts = await sources.facts(asset.source.blob)
      if (!facts) throw new Problem('upload-incomplete')
      if (facts.sizeBytes !== asset.source.sizeBytes) throw new Problem('upload-size-mismatch')
      const { etag } = facts
      const { quote } = await assets.update(tenantId, asset.id, (current) =>
        quoteAsked(present(current), { etag }, clock.now()),
      )
      return { tenantId, assetId: asset.id, etag, state: quote?.state ?? 'probing' }
    },

    /** Never of another file than the one that was looked at. */
    async read(tenantId: TenantId, id: string): Promise<QuoteView> {
      const { id: assetId, quote, source } = await find(tenantId, id)
      if (!quote)
        throw new Problem('not-found', { detail: 'Ask for a quote first, by POST to this address.' })
      const etag = source.etag ?? (await sources.facts(source.blob))?.etag
      if (etag !== quote.etag)
        throw new Problem('source-changed', {
          detail: 'The file is another one than the quote is of. Ask for a new quote.',
        })
      return { assetId, state: quote.state, ...quote.quote, ...(quote.error ? { error: quote.error } : {}) }
    },
  }
}

/** encode-quote: plans as `encode-prepare` will, writes no plan, makes no key and charges nothing. */
export async function probeQuote(deps: EncodeDeps, target: QuoteTarget): Promise<Outcome> {
  const { tenantId, assetId, etag, code } = target
  const asset = await deps.assets.get(tenantId, assetId)
  if (asset?.deletedAt || asset?.quote?.etag !== etag || asset.quote.state !== 'probing') return { ok: true }
  const look = code ? Promise.reject(new Problem(code)) : findOut(deps, { asset, etag })
  const found = await look.catch((error: unknown) => {
    if (!(error instanceof Problem) || !(code || final(error.code))) throw error
    return { error: { code: error.code, detail: error.message } }
  })
  await deps.assets.update(tenantId, assetId, (current) => quoteFound(current, { etag, found }))
  deps.log('info', 'encode.quoted', { assetId, ...('error' in found ? { code: found.error.code } : {}) })
  return { ok: true }
}

async function findOut(deps: EncodeDeps, { asset, etag }: { asset: Asset; etag: string }) {
  const { blob, sizeBytes } = asset.source
  const source = { blob, sizeBytes, etag }
  const opened = await deps.ffmpeg.open(source, deps.sources)
  try {
    const plan = await planOf(deps, { source, opened, signal: new AbortController().signal })
    return { quote: priceOf(plan, deps.prices) }
  } finally {
    await opened.close()
  }
}
