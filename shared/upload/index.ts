// Uploads: a title is announced, its file goes straight to storage, and `complete` pins what was sent.
import { abandoned, completed } from '../assets/machine.ts'
import { type Asset, present, sourceBlob } from '../assets/model.ts'
import type { AssetStore, SourceStore } from '../assets/ports.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import { type AssetId, makeId, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import { admitTitle } from '../tenants/limits.ts'
import type { Tenant } from '../tenants/model.ts'
import type { UploadBlocks, UploadRequest, UploadTicket } from './schema.ts'

export interface UploadDeps {
  readonly assets: AssetStore
  readonly sources: SourceStore
  readonly clock: Clock
  readonly limits: { readonly urlSeconds: number; readonly blockBytes: number; readonly maxBytes: number }
}

export interface Upload {
  open(
    tenant: Pick<Tenant, 'id' | 'limits'>,
    ask: UploadRequest & { requestHash: string },
    random: Random,
  ): Promise<UploadTicket>
  /** A fresh URL and the blocks that wait to be committed, so that an interrupted upload goes on; not idle any more. */
  resume(tenantId: TenantId, assetId: AssetId): Promise<UploadBlocks>
  complete(tenantId: TenantId, assetId: AssetId): Promise<Asset>
  /** A read URL of minutes for whoever holds the tenant's key. */
  sourceUrl(tenantId: TenantId, assetId: string): Promise<{ url: string; expiresAt: string }>
  /** Ends the uploads that nobody went on with; returns them, to be cleaned. */
  abandonIdle(idleMs: number): Promise<Asset[]>
}

// A block blob has at most 50,000 blocks; 100 MiB is what a browser still holds at ease.
const mostBlocks = 50_000
const sourceUrlMs = 600_000

export function createUpload({ assets, sources, clock, limits }: UploadDeps): Upload {
  async function ticket(asset: Asset): Promise<UploadTicket> {
    const expiresAtMs = clock.now() + limits.urlSeconds * 1000
    return {
      assetId: asset.id,
      uploadUrl: await sources.uploadUrl(asset.source.blob, expiresAtMs),
      expiresAt: isoTime(expiresAtMs),
      blockSizeBytes: Math.max(limits.blockBytes, Math.ceil(asset.source.sizeBytes / mostBlocks)),
    }
  }

  const find = async (tenantId: TenantId, assetId: AssetId): Promise<Asset> =>
    present(await assets.get(tenantId, assetId))

  return {
    async open({ id: tenantId, limits: own }, ask, random) {
      if (ask.protection !== 'aes-128') throw new Problem('protection-not-available')
      if (ask.sizeBytes > limits.maxBytes)
        throw new Problem('too-large', { detail: `A source has at most ${limits.maxBytes} bytes.` })
      const id = makeId('ast', random)
      // Where it lay on the sender's disk is nobody's business.
      const fileName = ask.fileName.split(/[\\/]/).at(-1) || ask.fileName
      const now = isoTime(clock.now())
      const asset: Asset = {
        id,
        tenantId,
        type: 'asset',
        schema: 1,
        title: ask.title ?? (fileName.replace(/\.[^.]+$/, '') || fileName),
        fileName,
        state: 'uploading',
        protection: ask.protection,
        profile: ask.profile,
        source: {
          blob: sourceBlob({ tenantId, id }),
          sizeBytes: ask.sizeBytes,
          ...(ask.sha256 ? { sha256: ask.sha256 } : {}),
        },
        version: 1,
        progress: { percent: 0, stage: 'uploading' },
        renditions: [],
        requestHash: ask.requestHash,
        createdAt: now,
        updatedAt: now,
      }
      if (!(await assets.create(asset, (kept) => admitTitle(own, kept, ask.sizeBytes)))) {
        const there = await find(tenantId, id)
        if (there.requestHash !== ask.requestHash) throw new Problem('idempotency-mismatch')
        // A late repeat gets no URL that writes over what was completed, or into what was cleaned.
        if (there.state !== 'uploading') throw new Problem('upload-closed')
      }
      return ticket(asset)
    },

    async resume(tenantId, assetId) {
      await find(tenantId, assetId)
      const asset = await assets.update(tenantId, assetId, (current) => {
        if (current.state !== 'uploading') throw new Problem('upload-closed')
        return { ...current, updatedAt: isoTime(clock.now()) }
      })
      return { ...(await ticket(asset)), blocks: await sources.blocks(asset.source.blob) }
    },

    async complete(tenantId, assetId) {
      const asset = await find(tenantId, assetId)
      if (asset.state === 'failed') throw new Problem('upload-closed')
      if (asset.state !== 'uploading') return asset
      const facts = await sources.facts(asset.source.blob)
      if (!facts) throw new Problem('upload-incomplete')
      if (facts.sizeBytes !== asset.source.sizeBytes)
        throw new Problem('upload-size-mismatch', {
          detail: `${facts.sizeBytes} bytes are there, ${asset.source.sizeBytes} were announced. Upload the whole file again.`,
        })
      return assets.update(tenantId, assetId, (current) =>
        current.state === 'uploading' ? completed(current, { etag: facts.etag }, clock.now()) : 'unchanged',
      )
    },

    async sourceUrl(tenantId, assetId) {
      const asset = await find(tenantId, assetId as AssetId)
      if (asset.state === 'uploading' || asset.state === 'failed')
        throw new Problem('not-found', { detail: 'This title has no source (yet, or any more).' })
      const expiresAtMs = clock.now() + sourceUrlMs
      return { url: await sources.readUrl(asset.source.blob, expiresAtMs), expiresAt: isoTime(expiresAtMs) }
    },

    async abandonIdle(idleMs) {
      const updatedBefore = isoTime(clock.now() - idleMs)
      const idle = await assets.findStale({ state: 'uploading', updatedBefore })
      const ended: Asset[] = []
      for (const asset of idle)
        ended.push(
          await assets.update(asset.tenantId, asset.id, (current) =>
            abandoned(current, { updatedBefore }, clock.now()),
          ),
        )
      return ended.filter((asset) => asset.state === 'failed')
    },
  }
}
