// The public API as the console calls it: what it answers, and one function a route.
import { type ApiProblem, createCall } from './call.ts'
import type { Policy } from './policy.ts'

export type Stage =
  | 'uploading'
  | 'queued'
  | 'probing'
  | 'waking-encoders'
  | 'encoding'
  | 'finishing'
  | 'done'
  | 'failed'

export interface Progress {
  percent: number
  stage: Stage
  etaSeconds?: number
}

export interface Rendition {
  name: string
  kind: 'video' | 'audio'
  width?: number
  height?: number
}

export interface Asset {
  id: string
  title: string
  fileName: string
  state: 'uploading' | 'encoding' | 'ready' | 'failed'
  progress: Progress
  durationSeconds: number | null
  renditions: Rendition[]
  playable: boolean
  error?: Trouble
  /** An encode while the version before it plays; it failed where it has an error. */
  nextVersion?: { progress: Progress; error?: Trouble }
  createdAt: string
}

interface Trouble {
  code: string
  detail: string
}

export interface Quote {
  state: 'probing' | 'ready' | 'failed'
  renditions: Rendition[]
  encodedMinutes: number
  expectedSeconds: number
  cost: { amount: number; currency: string }
  error?: Trouble
}

export interface UploadTicket {
  uploadUrl: string
  expiresAt: string
  blockSizeBytes: number
}

export interface UploadStanding extends UploadTicket {
  blocks: Array<{ id: string; sizeBytes: number }>
}

export interface Playback {
  sessionId: string
  hlsUrl: string
  posterUrl: string
  /** WebVTT of small pictures of the film, once it is whole. */
  storyboardUrl: string
  expiresAt: string
}

export interface Grant {
  grant: string
  hlsUrl: string
  expiresAt: string
}

export interface Tenant {
  id: string
  name: string
  allowedOrigins: string[]
  policy?: Policy | null
}

export interface LiveSession {
  sessionId: string
  assetId: string
  /** Short hashes: neither the viewer's name nor the address can be read from them. */
  viewer: string
  client: string
  openedAt: string
  seenAt: string
}

export interface SigningKey {
  id: string
  name: string
  algorithm: string
  createdAt: string
  retiredAt?: string
  revokedAt?: string
}

export type Role = 'owner' | 'uploader' | 'minter' | 'statistics'

export interface ApiKey {
  id: string
  name: string
  role: Role
  createdAt: string
  retiredAt?: string
}

/** An absent limit does not limit. */
export type Limits = { [What in 'titles' | 'bytes' | 'encodedMinutes' | 'sessions']?: number }

export interface Usage extends Required<Limits> {
  limits: Limits
}

/** What a revocation ends: everything that is opened by, watched by, or made of it. */
export type Revocation =
  | { sessionId: string }
  | { viewer: string }
  | { assetId: string }
  | { signingKeyId: string }

export type Api = ReturnType<typeof createApi>

/** `refused` is called when the key is no longer good, whatever was asked. */
export function createApi(key: string, refused: (problem: ApiProblem) => void) {
  const call = createCall({ Authorization: `Bearer ${key}` }, refused)
  const one = (id: string) => encodeURIComponent(id)
  return {
    titles: (cursor?: string) =>
      call<{ items: Asset[]; cursor?: string }>('GET', cursor ? `assets?cursor=${one(cursor)}` : 'assets'),
    title: (id: string) => call<Asset>('GET', `assets/${one(id)}`),
    remove: (id: string) => call<void>('DELETE', `assets/${one(id)}`),

    createUpload: (body: { fileName: string; sizeBytes: number; title: string }, idempotencyKey: string) =>
      call<UploadTicket & { assetId: string }>('POST', 'uploads', { body, idempotencyKey }),
    upload: (id: string) => call<UploadStanding>('GET', `uploads/${one(id)}`),
    complete: (id: string) => call<void>('POST', `uploads/${one(id)}/complete`, { body: {} }),
    askQuote: (id: string) => call<void>('POST', `uploads/${one(id)}/quote`),
    quote: (id: string) => call<Quote>('GET', `uploads/${one(id)}/quote`),
    encode: (id: string) => call<void>('POST', `assets/${one(id)}/encode`, { body: {} }),
    cancel: (id: string) => call<void>('POST', `assets/${one(id)}/cancel`),

    // The console is on none of the pages that a policy may ask for; all else of it holds here, too.
    playback: (id: string) =>
      call<Playback>('POST', `assets/${one(id)}/playback`, { body: { policy: { referrers: null } } }),
    grant: (id: string, body: { expiresInSeconds: number; policy?: Policy }) =>
      call<Grant>('POST', `assets/${one(id)}/grants`, { body }),
    sessions: (viewer: string) =>
      call<{ items: LiveSession[] }>('GET', viewer ? `sessions?viewer=${one(viewer)}` : 'sessions'),
    revoke: (body: Revocation) => call<void>('POST', 'revocations', { body }),

    tenant: () => call<Tenant>('GET', 'tenant'),
    changeTenant: (body: { allowedOrigins?: string[]; policy?: Policy }) =>
      call<Tenant>('PATCH', 'tenant', { body }),

    usage: () => call<Usage>('GET', 'usage'),

    signingKeys: () => call<{ items: SigningKey[] }>('GET', 'signing-keys'),
    registerSigningKey: (body: { name: string; publicKey: string }) =>
      call<SigningKey>('POST', 'signing-keys', { body }),
    retireSigningKey: (id: string) => call<void>('DELETE', `signing-keys/${one(id)}`),

    apiKeys: () => call<{ items: ApiKey[] }>('GET', 'keys'),
    addApiKey: (body: { name: string; role: Role }) =>
      call<{ id: string; apiKey: string }>('POST', 'keys', { body }),
    retireApiKey: (id: string) => call<void>('DELETE', `keys/${one(id)}`),
  }
}
