// The stage that a film is put on in these tests: doubles of the stores that keep the promises of the ports, real ffmpeg.
import { createHash } from 'node:crypto'
import type { Asset } from '../../shared/assets/model.ts'
import type { AssetStore, MediaStore, SourceStore } from '../../shared/assets/ports.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { AssetId, TenantId } from '../../shared/core/ids.ts'
import { silentLog } from '../../shared/core/log.ts'
import { Problem } from '../../shared/core/problem.ts'
import type { EncodeParts } from '../../shared/encode/deps.ts'
import type {
  Ffmpeg,
  Line,
  LineStore,
  Offer,
  OfferStore,
  OpeningStore,
  RunAsk,
  SegmentSealer,
  Unit,
  UnitStore,
} from '../../shared/encode/ports.ts'
import { createFfmpeg } from '../../shared/media/index.ts'
import type { ProgramPaths } from '../../shared/media/tools.ts'

export const tenantId: TenantId = `ten_${'0'.repeat(20)}`
export const assetId: AssetId = `ast_${'1'.repeat(20)}`
export const target = { tenantId, assetId, version: 1 }

const onThePath: ProgramPaths = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' }
const installed = createFfmpeg(onThePath)
/** As a process has it that has read nothing of a source yet; which programs there are is asked once for all of them. */
export function ffmpegOf(paths?: ProgramPaths): Ffmpeg {
  const { tools, run } = paths ? createFfmpeg(paths) : installed
  return { ...createFfmpeg(paths ?? onThePath), tools, run }
}

/** Resolves once that many ffmpegs of chunks have told how far they are. */
export function whenAtWork({ ffmpeg }: EncodeParts, programs = 1): Promise<void> {
  const { run } = ffmpeg
  const heard = new Set<RunAsk>()
  return new Promise((resolve) => {
    const heeded = (ask: RunAsk) => async (bytes: Uint8Array) => {
      if (ask.argv.includes('-progress')) heard.add(ask)
      if (heard.size >= programs) resolve()
      await ask.onOutput?.(bytes)
    }
    Object.assign(ffmpeg, { run: (ask: RunAsk) => run({ ...ask, onOutput: heeded(ask) }) })
  })
}

/** How ffmpegs of chunks that begin from now on end: by themselves, or stopped on the way. */
export function endsOf({ ffmpeg }: EncodeParts): string[] {
  const { run } = ffmpeg
  const ends: string[] = []
  const heeded = async (ask: RunAsk) => {
    const note = ask.argv.includes('-progress') ? (end: string) => ends.push(end) : () => {}
    const outcome = await run(ask).catch((error) => {
      note('stopped')
      throw error
    })
    note(outcome.end)
    return outcome
  }
  Object.assign(ffmpeg, { run: heeded })
  return ends
}

const etags = new WeakMap<Uint8Array, string>()
const etagOf = (bytes: Uint8Array): string => {
  const etag = etags.get(bytes) ?? createHash('sha1').update(bytes).digest('hex')
  etags.set(bytes, etag)
  return etag
}

export function setStage(
  film: Uint8Array,
  { chunkSegments = 4, paths }: { chunkSegments?: number; paths?: ProgramPaths | undefined } = {},
) {
  const blob = `${tenantId}/${assetId}/source`
  const files = new Map<string, Uint8Array>([[blob, film]])
  const media = new Map<string, Uint8Array>()
  const units = new Map<string, Unit>()
  let asset: Asset | undefined = {
    id: assetId,
    tenantId,
    type: 'asset',
    schema: 1,
    title: 't',
    fileName: 't.mp4',
    state: 'encoding',
    protection: 'aes-128',
    profile: 'standard',
    source: { blob, sizeBytes: film.length, etag: etagOf(film) },
    version: 1,
    progress: { percent: 0, stage: 'queued' },
    renditions: [],
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  }
  const history: Asset[] = []
  const assets = {
    get: async () => asset,
    update: async (_tenant: TenantId, _id: AssetId, change: (current: Asset) => Asset | 'unchanged') => {
      if (!asset) throw new Problem('not-found')
      const next = change(asset)
      if (next === 'unchanged') return asset
      asset = next
      history.push(next)
      return next
    },
    remove: async () => {
      asset = undefined
    },
  } as unknown as AssetStore
  const sources = {
    read: async (name: string, { offset, count, etag }: { offset: number; count: number; etag: string }) => {
      const bytes = files.get(name)
      if (!bytes || etagOf(bytes) !== etag) throw new Problem('source-changed')
      return bytes.subarray(offset, offset + count)
    },
    facts: async (name: string) => {
      const bytes = files.get(name)
      return bytes && { sizeBytes: bytes.length, etag: etagOf(bytes) }
    },
    remove: async (name: string) => void files.delete(name),
  } as unknown as SourceStore
  const mediaStore: MediaStore = {
    putOnce: async (name, bytes) => {
      const there = media.get(name)
      if (there && Buffer.compare(there, bytes) !== 0 && !name.endsWith('.jpg'))
        throw new Error(`${name} written twice, differently`)
      if (!there) media.set(name, Buffer.from(bytes))
      return !there
    },
    facts: async (name) => {
      const bytes = media.get(name)
      return bytes && { sizeBytes: bytes.length, etag: etagOf(bytes) }
    },
    get: async (name) => media.get(name),
    read: async (name, { offset, count }) => media.get(name)?.subarray(offset, offset + count),
    remove: async (names) => {
      for (const name of names) media.delete(name)
    },
    removeFolder: async (prefix) => {
      for (const name of media.keys()) if (name.startsWith(prefix)) media.delete(name)
    },
  }
  const unitStore: UnitStore = {
    put: async (unit) => void units.set(unit.id, structuredClone(unit)),
    get: async (_jobId, id) => units.get(id),
    since: async (jobId) => ({
      items: [...units.values()].filter((unit) => unit.jobId === jobId),
      latestSeconds: 1,
    }),
    list: async (jobId) => [...units.values()].filter((unit) => unit.jobId === jobId),
    removeJob: async (jobId) => {
      for (const unit of units.values()) if (unit.jobId === jobId) units.delete(unit.id)
    },
  }
  const keyIds: Record<string, string> = {}
  /** Leaves segments as they are, so that what was stored can be looked at. */
  const sealer: SegmentSealer = {
    async prepare(_target, names) {
      for (const name of names) keyIds[name] = createHash('md5').update(name).digest('hex')
      return keyIds
    },
    keyIds: async () => keyIds,
    open:
      async () =>
      ({ bytes }) =>
        bytes,
    unseal:
      async () =>
      ({ bytes }) =>
        bytes,
    retire: async () => {},
    forget: async () => {},
  }
  const queues = new Map<TenantId, Line>()
  const lines: LineStore = {
    get: async (tenant) => queues.get(tenant),
    change: async (tenant, change) => {
      const next = change(queues.get(tenant))
      if (next !== 'unchanged') queues.set(tenant, next)
    },
  }
  const waiting = new Set<AssetId>()
  const openings: OpeningStore = {
    add: async (id) => void waiting.add(id),
    remove: async (id) => void waiting.delete(id),
    waits: async () => waiting.size > 0,
  }
  const given = new Map<string, Offer>()
  const offers: OfferStore = {
    now: systemClock.now,
    get: async (_jobId, id) => given.get(id),
    change: async (_jobId, id, change, inPlaceOf = '') => {
      const next = change(given.get(id))
      if (!given.has(id)) given.delete(inPlaceOf)
      if (next !== 'unchanged') given.set(id, structuredClone(next))
      return given.get(id)
    },
    open: async (kind) =>
      [...given.values()].filter(
        (offer) => offer.kind === kind && (offer.state === 'queued' || offer.state === 'claimed'),
      ),
    unfinished: async () => [...given.values()].filter(({ left }) => left > 0),
    list: async (jobId) => [...given.values()].filter((offer) => offer.jobId === jobId),
    remove: async (_jobId, id) => void given.delete(id),
    removeJob: async (jobId) => {
      for (const { id, ttl, ...offer } of given.values())
        if (offer.jobId === jobId && ttl === undefined) given.delete(id)
    },
  }
  const crew: { awake: number; pixelsPerSecond?: number } = { awake: 0 }
  const parts: EncodeParts = {
    assets,
    sources,
    media: mediaStore,
    units: unitStore,
    lines,
    openings,
    offers,
    crew: { awake: async () => crew.awake, pixelsPerSecond: async () => crew.pixelsPerSecond },
    sealer,
    charge: async () => {},
    ffmpeg: ffmpegOf(paths),
    prices: {
      table: { currency: 'EUR', video: [{ upTo: 2160, micros: 1000 }], audioMicros: 100 },
      speed: { pixelsPerSecond: 1e8, units: 2 },
    },
    clock: systemClock,
    log: silentLog,
    limits: {
      threads: 1,
      chunkSegments,
      window: 8,
      retentionMs: 60_000,
      tenantTitles: 4,
      unitMs: 600_000,
      executor: 'function',
      fleetMs: 300_000,
      patienceMs: 900_000,
      beginningSeconds: 0,
      slots: 0,
      claimMs: 30_000,
      maxSeconds: 6 * 3600,
      maxPixels: 8192 * 4352,
    },
  }
  return {
    parts,
    files,
    media,
    units,
    history,
    waiting,
    given,
    crew,
    asset: () => asset,
    setAsset: (next: Asset | undefined) => {
      asset = next
    },
  }
}
