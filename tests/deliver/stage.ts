// Deliver with the real protect beside it, on the smallest ports there are; every byte has a value told by its place.
import type { Asset } from '../../shared/assets/model.ts'
import type { Client } from '../../shared/core/client.ts'
import { createDeliver } from '../../shared/deliver/index.ts'
import type { AuthoriseAsk, Granted, Redeem } from '../../shared/deliver/ports.ts'
import { createProtect } from '../../shared/protect/index.ts'
import { countingKek, keyDocuments, protectPorts, settableClock, testRandom } from '../protect/ports.ts'
import { sampleAsset } from '../support/documents.ts'
import { assetId, makeTimeline, tenantId } from './timelines.ts'

const origin = 'https://www.example.com'
export const somebody: Client = { network: '203.0.113.0/24', address: '203.0.113.9', userAgent: 'a player' }

const document = sampleAsset({
  id: assetId,
  tenantId,
  state: 'ready',
  progress: { percent: 100, stage: 'done' },
  timeline: 'timeline-3.json',
})

/** What the byte at `at` of a blob is. */
const byteOf = (blob: string, at: number): number => (blob.length * 31 + at * 7 + (at >> 8)) & 255
export const bytesOf = (blob: string, offset: number, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, n) => byteOf(blob, offset + n)))

export async function createStage({ answerMaxBytes = 1 << 20, seed = 'here' } = {}) {
  const clock = settableClock()
  const ports = protectPorts(clock, [{ id: tenantId, allowedOrigins: [origin] }])
  const { sessions } = ports
  const protect = createProtect({
    ...ports,
    keys: keyDocuments(),
    kek: countingKek().kek,
    random: testRandom(seed),
  })
  const keyIds = await protect.sealer.prepare({ tenantId, assetId, version: 1, generation: 0 }, [
    'v720',
    'v360',
    'audio',
  ])
  const named = (segments: number, ended: boolean) => {
    const timeline = makeTimeline({ segments, ended })
    const renditions = timeline.renditions.map((each) => ({ ...each, keyId: keyIds[each.name] ?? '' }))
    return Buffer.from(JSON.stringify({ ...timeline, renditions }))
  }
  const timelines = new Map([1, 2, 3].map((n) => [`timeline-${n}.json`, named(n, n === 3)]))
  const state = {
    asset: document as Asset | undefined,
    gone: false,
    /** What the session is granted besides. */
    granted: {} as Partial<Granted>,
    redeem: (async () => undefined) as Redeem,
    waitSeconds: 0,
  }
  const asks: AuthoriseAsk[] = []
  const refusals: string[] = []
  const served: Array<{ sessionId: string; bytes: number }> = []
  const reads: Array<{ blob: string; offset: number; count: number }> = []
  const loads: string[] = []
  const deliver = createDeliver({
    assets: {
      get: async (tenant, id) => {
        loads.push('asset')
        return tenant === tenantId && id === assetId ? state.asset : undefined
      },
    },
    media: {
      get: async (blob) => {
        loads.push(blob)
        return timelines.get(blob)
      },
      facts: async (blob) => (blob.endsWith('poster.jpg') ? { sizeBytes: 5000, etag: 'x' } : undefined),
      read: async (blob, range) => {
        reads.push({ blob, ...range })
        return state.gone ? undefined : bytesOf(blob, range.offset, range.count)
      },
    },
    async authorise(ask) {
      asks.push(ask)
      const granted = await protect.authorise(ask)
      return granted && { ...granted, ...state.granted }
    },
    redeem: (ask) => state.redeem(ask),
    meter: { served: (sessionId, bytes) => void served.push({ sessionId, bytes }) },
    refused(network) {
      refusals.push(network)
      return state.waitSeconds
    },
    contentKey: protect.contentKey,
    segmentIv: protect.segmentIv,
    clock,
    answerMaxBytes,
  })
  const opened = await protect.openSession({ tenantId, asset: document })

  return {
    clock,
    protect,
    sessions,
    state,
    reads,
    loads,
    document,
    keyIds,
    token: opened.token,
    sessionId: opened.sessionId,
    timelines,
    asks,
    refusals,
    served,
    /** With the session's own token unless another is given. */
    ask(
      path: string,
      headers: Record<string, string> = {},
      { method = 'GET', token = opened.token, client = somebody } = {},
    ) {
      const header = (name: string) => headers[name] ?? null
      return deliver.answer({ method, token, path, header, client, origin: 'https://play.example.net' })
    },
  }
}

export type Stage = Awaited<ReturnType<typeof createStage>>
