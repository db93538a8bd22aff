// Titles whose units are offered to workers, over a real Cosmos server: their plans, and who looks, claims and reports.

import { type Asset, AssetDocument, sourceBlob } from '../../shared/assets/model.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { TenantId } from '../../shared/core/ids.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { claimed, inOrder, offerIdOf } from '../../shared/encode/claims.ts'
import type { EncodeLimits } from '../../shared/encode/deps.ts'
import { chunkAt, chunkCount } from '../../shared/encode/grid.ts'
import { createEncode } from '../../shared/encode/index.ts'
import { makePlan, Plan } from '../../shared/encode/plan.ts'
import type { Offer } from '../../shared/encode/ports.ts'
import { parseProbe } from '../../shared/encode/probe.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'
import { chunkUnit, doneId, jobOf } from '../../shared/encode/units.ts'
import type { Looked, Outcome, Turn } from '../../shared/encode/work.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { startCosmos } from '../support/cosmos.ts'
import { newTenantId, sampleAsset } from '../support/documents.ts'
import { setStage } from './stage.ts'

const build = 'of these tests'

/** A picture of 854 × 480 at 25 frames a second, and sound where it is asked for. */
export function planOf(seconds: number, { sound = false, chunkSegments = 1 } = {}): Plan {
  const video = { index: 0, codec_type: 'video', codec_name: 'h264', width: 854, height: 480 }
  const rates = { r_frame_rate: '25/1', avg_frame_rate: '25/1' }
  const audio = { index: 1, codec_type: 'audio', codec_name: 'aac', channels: 2, sample_rate: '48000' }
  const streams = [{ ...video, ...rates }, ...(sound ? [{ ...audio, duration: String(seconds) }] : [])]
  const probe = parseProbe(JSON.stringify({ streams }))
  if (!probe.video) throw new Error('there is no picture')
  const draft = makePlan({
    probe: { ...probe, video: probe.video },
    container: sniffContainer(Buffer.from('\0\0\0\x20ftypisom')),
    source: { blob: 'b', etag: 'e', sizeBytes: 1 },
    durationSeconds: seconds,
    ...{ build, filters: new Set<string>(), threads: 2, chunkSegments },
  })
  return Plan.parse({ ...draft, hash: 'h' })
}

export type Yard = Awaited<ReturnType<typeof setYard>>
export type Title = Awaited<ReturnType<Yard['title']>>

export async function setYard(limits: Partial<EncodeLimits> = {}) {
  const server = await startCosmos()
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  const stores = createCosmosStores(server, { clock: systemClock, random: systemRandom, schemas })
  const { parts, media, crew } = setStage(Buffer.alloc(1))
  // It stands still but for what a test lets pass: a second of the machine is none here.
  const beganMs = systemClock.now()
  let passedMs = 0
  let queries = 0
  const now = () => beganMs + passedMs
  const offers = {
    ...stores.offers,
    now,
    unfinished: () => {
      queries++
      return stores.offers.unfinished()
    },
  }
  const { assets, units, lines } = stores
  const openings = {
    ...stores.openings,
    waits: (sinceSeconds: number) => stores.openings.waits(sinceSeconds - Math.ceil(passedMs / 1000)),
  }
  const encode = createEncode({
    ...parts,
    ...{ assets, units, openings, lines, offers },
    clock: { ...systemClock, now },
    ffmpeg: { ...parts.ffmpeg, tools: async () => ({ build, filters: new Set<string>() }) },
    limits: { ...parts.limits, ...limits },
  })

  return {
    ...{ stores, offers, encode, crew },
    stop: server.stop,
    pass: (ms: number) => {
      passedMs += ms
    },
    queries: () => queries,

    async title(
      plan: Plan,
      { step = 4, tenantId = newTenantId() }: { step?: number; tenantId?: TenantId } = {},
    ) {
      const { id: assetId } = sampleAsset()
      const source = { blob: sourceBlob({ tenantId, id: assetId }), sizeBytes: 1, etag: 'e' }
      const name = `${tenantId}/${assetId}/v1/plan.json`
      const state = { state: 'encoding', progress: { percent: 0, stage: 'encoding' }, plan: name } as const
      await assets.create(sampleAsset({ id: assetId, tenantId, source, ...state }))
      media.set(name, Buffer.from(JSON.stringify(plan)))
      const target = { tenantId, assetId, version: 1 }
      const jobId = jobOf(target)
      const planned = { ...target, plan: name }
      const given = { ...planned, fleetSinceMs: 1, waits: 'waits', shared: true, step }
      return {
        ...{ plan, target, planned, jobId, step, chunks: chunkCount(plan.video) },
        asset: async (): Promise<Asset | undefined> => assets.get(tenantId, assetId),
        offer: (chunk: number) => offers.get(jobId, offerIdOf(doneId(jobId, chunk))),
        look: async (chunk: number, more: object = {}) =>
          (await encode.offer({ ...given, kind: 'chunk', chunk, ...more })) as Outcome<Looked>,
        unclaimed: async (chunk: number) =>
          (await encode.unclaimed({ ...given, kind: 'chunk', chunk })) as Outcome<Partial<Turn>>,
        /** As whoever encoded it would. */
        async make(chunk: number) {
          const { frames } = chunkAt(plan.video, chunk)
          await units.put(chunkUnit(jobId, { plan, chunk }, { frames, done: true, sizes: {} }))
        },
      }
    },

    /** What a worker that is free takes, if there is anything. */
    async claim(node: string): Promise<Offer | undefined> {
      for (const { jobId, id } of inOrder(await offers.open('chunk'), offers.now())) {
        let isOurs = false
        const offer = await offers.change(jobId, id, (current) => {
          const next = current && claimed(current, { node, nowMs: offers.now(), leaseMs: 30_000 })
          isOurs = next !== undefined
          return next ?? 'unchanged'
        })
        if (isOurs) return offer
      }
      return undefined
    },

    report: ({ unitId, claim }: Offer, outcome: 'done' | 'failed' | 'returned') =>
      encode.reports.take(unitId, { node: claim?.node ?? '', number: claim?.number ?? 0 }, { outcome }),
  }
}
