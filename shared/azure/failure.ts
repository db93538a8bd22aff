// Which failures of a store pass by themselves, how often a call is tried, and what its caller is told in the end.
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'

/** What waiting takes. */
export interface Pace {
  readonly clock: Clock
  readonly random: Random
  /** One try of one call; what takes longer is cut off and tried again. */
  readonly tryTimeoutMs?: number
}

/** As the SDKs throw them: Storage and Key Vault a `statusCode` and a named `code`, Cosmos a numeric `code`. */
interface StoreError {
  readonly name?: string
  readonly code?: string | number
  readonly statusCode?: number
  readonly details?: { readonly errorCode?: string }
  readonly retryAfterInMs?: number
  readonly response?: { readonly headers?: { get(name: string): string | undefined } }
}

const storeError = (error: unknown): StoreError => (typeof error === 'object' && error !== null ? error : {})

/** The HTTP status of a refusal, if there was an answer at all. */
export function statusOf(error: unknown): number | undefined {
  const { statusCode, code } = storeError(error)
  return statusCode ?? (typeof code === 'number' ? code : undefined)
}

/** The service's own name of an error. An answer to HEAD has no body, so it is in a header alone. */
export function nameOf(error: unknown): string | undefined {
  const { code, details, response } = storeError(error)
  return details?.errorCode ?? response?.headers?.get('x-ms-error-code') ?? code?.toString()
}

export const bodyInterrupted = 'BODY_INTERRUPTED'
const passing = new Set<number | string>([
  ...[408, 429, 449, 500, 502, 503, 504],
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['REQUEST_SEND_ERROR', 'PARSE_ERROR', 'TimeoutError', bodyInterrupted],
])

function isTransient(error: unknown): boolean {
  const { name, code } = storeError(error)
  if (name === 'AbortError' || name === 'TimeoutError') return true
  return passing.has(statusOf(error) ?? code ?? '')
}

/** Full jitter: anywhere between nothing and the backoff, so that those who collided part. */
export const jittered = (random: Random, ms: number): number =>
  Math.floor(((random.bytes(1)[0] ?? 0) / 256) * ms)

const tries = 4
const firstBackoffMs = 200

/** Only for calls that may be repeated; each try is cut off by its signal, the whole of it bounded. */
export async function persist<T>(pace: Pace, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(AbortSignal.timeout(pace.tryTimeoutMs ?? 30_000))
    } catch (error) {
      if (attempt === tries || !isTransient(error)) throw error
      const backoffMs = firstBackoffMs * 4 ** (attempt - 1)
      await pace.clock.wait(backoffMs / 2 + jittered(pace.random, backoffMs / 2))
    }
  }
}

/** A store that is away or overloaded is our trouble, never the tenant's: 503, and when to come back. */
function surfaced(error: unknown): unknown {
  if (error instanceof Problem || !isTransient(error)) return error
  const { retryAfterInMs, response } = storeError(error)
  const seconds = retryAfterInMs ? retryAfterInMs / 1000 : Number(response?.headers?.get('retry-after'))
  return new Problem('unavailable', {
    retryAfterSeconds: Math.min(Math.max(Math.ceil(seconds) || 1, 1), 60),
    cause: error,
  })
}

/** The same store, whose transient failures arrive as the Problem `unavailable`. */
export function surfacing<T extends object>(store: T): T {
  const functions = Object.entries(store) as Array<[string, (...args: unknown[]) => Promise<unknown>]>
  return Object.fromEntries(
    functions.map(([name, run]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await run(...args)
        } catch (error) {
          throw surfaced(error)
        }
      },
    ]),
  ) as T
}
