// One request to the public API: who asks, how long it may take, and one error for everything that can go wrong.

/** What is wrong with one field: a JSON pointer into the body, and a sentence. */
export interface FieldError {
  pointer: string
  message: string
}

interface Trouble {
  status: number
  code: string
  detail: string
  errors?: FieldError[] | undefined
  retryAfterSeconds?: number | undefined
}

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly status: number
  readonly code: string
  readonly errors: readonly FieldError[]
  readonly retryAfterSeconds: number | undefined
  constructor({ status, code, detail, errors = [], retryAfterSeconds }: Trouble) {
    super(detail)
    this.status = status
    this.code = code
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
  }
  /** Whether the same request may well succeed a little later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

const timeoutMs = 30_000

interface ProblemBody {
  code?: string
  detail?: string
  title?: string
  errors?: FieldError[]
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
    errors: body.errors,
    retryAfterSeconds: seconds > 0 ? seconds : undefined,
  })
}

export type Call = <T>(
  method: string,
  path: string,
  more?: { body?: unknown; idempotencyKey?: string },
) => Promise<T>

/** `credential`: the header that says who asks; `refused` is called when it is no longer good, whatever was asked. */
export function createCall(
  credential: Readonly<Record<string, string>>,
  refused: (problem: ApiProblem) => void,
): Call {
  return async <T>(
    method: string,
    path: string,
    { body, idempotencyKey }: { body?: unknown; idempotencyKey?: string } = {},
  ) => {
    const headers: Record<string, string> = { ...credential }
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers,
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
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
}
