// What a title is: its document, its states, and what its tenant is shown of it.
import { z } from 'zod'
import { type AssetId, idPattern, type TenantId } from '../core/ids.ts'
import { Problem, type ProblemCode, problems } from '../core/problem.ts'
import { KeptQuote } from './quote.ts'

const assetStates = ['uploading', 'encoding', 'ready', 'failed'] as const
export type AssetState = (typeof assetStates)[number]

/** The stages a title goes through while it is `encoding`, in the words its tenant reads. */
export const progressStages = [
  'uploading',
  'queued',
  'probing',
  'encoding',
  'waking-encoders',
  'finishing',
  'done',
  'failed',
] as const

export const Progress = z.object({
  percent: z.number().int().min(0).max(100),
  stage: z.enum(progressStages),
  etaSeconds: z.number().int().min(0).optional(),
})
export type Progress = z.infer<typeof Progress>

export const Rendition = z.object({
  name: z.string(),
  kind: z.enum(['video', 'audio']),
  codecs: z.string(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  frameRate: z.number().optional(),
  averageBandwidth: z.number().int(),
})
export type Rendition = z.infer<typeof Rendition>

const problemCode = z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]])
const AssetError = z.object({ code: problemCode, detail: z.string() })
export type AssetError = z.infer<typeof AssetError>

const Charge = z.object({ month: z.string(), seconds: z.number() })

export const tenantId = z.custom<TenantId>((v) => typeof v === 'string' && idPattern('ten').test(v))
export const assetId = z.custom<AssetId>((v) => typeof v === 'string' && idPattern('ast').test(v))

/** The document in the container `assets`, partition key `tenantId`. Times are RFC 3339. */
export const AssetDocument = z.object({
  id: assetId,
  tenantId,
  type: z.literal('asset'),
  schema: z.literal(1),
  title: z.string(),
  fileName: z.string(),
  state: z.enum(assetStates),
  protection: z.literal('aes-128'),
  profile: z.literal('standard'),
  source: z.object({
    blob: z.string(),
    sizeBytes: z.number().int().min(1),
    sha256: z.string().optional(),
    /** Pinned by `complete`; every later read is `If-Match`. */
    etag: z.string().optional(),
  }),
  /** Counts encodes; the Durable instance is `encode-{id}-v{version}`, the media folder `…/v{version}/`. */
  version: z.number().int().min(1),
  progress: Progress,
  durationSeconds: z.number().optional(),
  renditions: z.array(Rendition),
  /** Blob name of the plan that this version follows, in `media`. */
  plan: z.string().optional(),
  /** Blob name of the current timeline, in `media`. */
  timeline: z.string().optional(),
  /** When an encode last made it longer. */
  publishedAt: z.string().optional(),
  /** Timelines that players may still be in the middle of, until they are gone. */
  former: z.array(z.object({ timeline: z.string(), until: z.string() })).optional(),
  /** Its tenant's word: sessions that were opened before are over. */
  sessionsEndedAt: z.string().optional(),
  poster: z.string().optional(),
  error: AssetError.optional(),
  /** What its encode was charged, once: its tenant does not pay for a repetition. */
  charged: Charge.optional(),
  /** The version after this one, of a title that is ready: under way, or failed where it has an error. */
  next: z
    .object({
      version: z.number().int().min(2),
      progress: Progress,
      plan: z.string().optional(),
      charged: Charge.optional(),
      error: AssetError.optional(),
      cleanedAt: z.string().optional(),
    })
    .optional(),
  /** How many events it has had; `events.ts` says which changes are. */
  events: z.number().int().min(0).optional(),
  /** What its encode is going to cost, for whoever asked before `complete`. */
  quote: KeptQuote.optional(),
  /** Set by its tenant's DELETE: nobody sees it any more, and cleaning ends with the document. */
  deletedAt: z.string().optional(),
  /** Set once source and partial outputs of a failed title are gone. */
  cleanedAt: z.string().optional(),
  /** Of the request that made it: an Idempotency-Key used for another one is refused. */
  requestHash: z.string().optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type Asset = z.infer<typeof AssetDocument>

/** What `GET /api/v1/assets/{assetId}` shows. */
export const AssetView = z
  .object({
    id: z.string(),
    title: z.string(),
    fileName: z.string(),
    state: z.enum(assetStates),
    protection: z.literal('aes-128'),
    progress: Progress,
    durationSeconds: z.number().nullable(),
    renditions: z.array(Rendition),
    playable: z.boolean(),
    error: AssetError.optional(),
    /** An encode while the version before it plays; it takes over once it is whole, and is gone from here then. */
    nextVersion: z.object({ progress: Progress, error: AssetError.optional() }).optional(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Asset' })
export type AssetView = z.infer<typeof AssetView>

const viewNext = ({ progress, error }: NonNullable<Asset['next']>) => ({
  progress,
  ...(error ? { error } : {}),
})

export const viewAsset = (asset: Asset): AssetView => ({
  id: asset.id,
  title: asset.title,
  fileName: asset.fileName,
  state: asset.state,
  protection: asset.protection,
  progress: asset.progress,
  durationSeconds: asset.durationSeconds ?? null,
  renditions: asset.renditions,
  playable: asset.timeline !== undefined && asset.state !== 'failed',
  ...(asset.error ? { error: asset.error } : {}),
  ...(asset.state === 'ready' && asset.next ? { nextVersion: viewNext(asset.next) } : {}),
  createdAt: asset.createdAt,
  updatedAt: asset.updatedAt,
})

export const encodeInstanceId = (assetId: AssetId, version: number): string => `encode-${assetId}-v${version}`

/** Where everything of a title lives, in either container. */
export const titleFolder = ({ tenantId, id }: Pick<Asset, 'tenantId' | 'id'>): string => `${tenantId}/${id}/`

/** Its source, in `sources`. */
export const sourceBlob = (asset: Pick<Asset, 'tenantId' | 'id'>): string => `${titleFolder(asset)}source`

/** Where everything of one encode lives in `media`. */
export const mediaFolder = (asset: Pick<Asset, 'tenantId' | 'id' | 'version'>): string =>
  `${titleFolder(asset)}v${asset.version}/`

/** What a tenant has, all its titles together. */
export interface Kept {
  readonly titles: number
  /** Of sources, as they were announced. */
  readonly bytes: number
}

/** What counts of it: a title until it is deleted, its source until that is gone. */
export const keptOf = (asset: Asset | undefined): Kept => ({
  titles: asset && !asset.deletedAt ? 1 : 0,
  bytes: asset && !asset.deletedAt && !asset.cleanedAt ? asset.source.sizeBytes : 0,
})

/** The title that its tenant sees: one that is not there and one that was deleted are the same. */
export function present(asset: Asset | undefined): Asset {
  if (!asset || asset.deletedAt) throw new Problem('not-found')
  return asset
}
