// The public API as the console calls it: one function a route, one error for everything that can go wrong.

export type Stage = 'uploading' | 'queued' | 'probing' | 'encoding' | 'finishing' | 'done' | 'failed'

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
  progress: { percent: number; stage: Stage; etaSeconds?: number }
  durationSeconds: number | null
  renditions: Rendition[]
  playable: boolean
  error?: { code: string; detail: string }
  createdAt: string
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
  expiresAt: string
}

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly status: number
  readonly code: string
  readonly retryAfterSeconds: number | undefined
  constructor(of: { status: number; code: string; detail: string; retryAfterSeconds?: number | undefined }) {
    super(of.detail)
    this.status = of.status
    this.code = of.code
    this.retryAfterSeconds = of.retryAfterSeconds
  }
  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

export interface Api {
  titles(cursor?: string): Promise<{ items: Asset[]; cursor?: string }>
  title(id: string): Promise<Asset>
  remove(id: string): Promise<void>
  createUpload(
    of: { fileName: string; sizeBytes: number; title: string },
    key: string,
  ): Promise<UploadTicket & { assetId: string }>
  upload(id: string): Promise<UploadStanding>
  complete(id: string): Promise<void>
  playback(id: string): Promise<Playback>
}

const timeoutMs = 30_000

interface ProblemBody {
  code?: string
  detail?: string
  title?: string
  errors?: Array<{ message: string }>
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const body = (await response.json().catch(() => ({}))) as ProblemBody
  // A person sees no `errors`, so what they say stands for the advice to look there.
  const fields = body.errors?.map(({ message }) => message).join('; ')
  const seconds = Number(response.headers.get('Retry-After'))
  return new ApiProblem({
    status: response.status,
    code: body.code ?? 'unknown',
    detail: fields || (body.detail ?? body.title) || `The platform answered ${response.status}.`,
    retryAfterSeconds: seconds > 0 ? seconds : undefined,
  })
}

/** `refused` is called when the key is no longer good, whatever was asked. */
export function createApi(key: string, refused: (problem: ApiProblem) => void): Api {
  async function call<T>(
    method: string,
    path: string,
    more: { body?: unknown; idempotencyKey?: string } = {},
  ) {
    const headers: Record<string, string> = { Authorization: `Bearer ${key}` }
    if (more.body !== undefined) headers['Content-Type'] = 'application/json'
    if (more.idempotencyKey) headers['Idempotency-Key'] = more.idempotencyKey
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    }).catch((cause) => {
      const detail = 'The platform does not answer. Check that it runs and that you are online.'
      throw Object.assign(new ApiProblem({ status: 0, code: 'unreachable', detail }), { cause })
    })
    if (!response.ok) {
      const problem = await problemOf(response)
      if (problem.status === 401) refused(problem)
      throw problem
    }
    return (response.status === 204 ? undefined : await response.json()) as T
  }
  const one = (id: string) => encodeURIComponent(id)
  return {
    titles: (cursor) => call('GET', cursor ? `assets?cursor=${one(cursor)}` : 'assets'),
    title: (id) => call('GET', `assets/${one(id)}`),
    remove: (id) => call('DELETE', `assets/${one(id)}`),
    createUpload: (body, idempotencyKey) => call('POST', 'uploads', { body, idempotencyKey }),
    upload: (id) => call('GET', `uploads/${one(id)}`),
    complete: (id) => call('POST', `uploads/${one(id)}/complete`, { body: {} }),
    playback: (id) => call('POST', `assets/${one(id)}/playback`, { body: {} }),
  }
}
