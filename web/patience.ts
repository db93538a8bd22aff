// How long to wait before something is tried again, and when to stop trying.

/** Doubles from 500 ms to 30 s; a fifth of it is chance, so that many clients do not return at once. */
export function backoffMs(
  attempt: number,
  chance = crypto.getRandomValues(new Uint8Array(1))[0]! / 256,
): number {
  return Math.min(30_000, 500 * 2 ** attempt) * (0.8 + 0.2 * chance)
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** Resolves when the browser has a network again; at once where it has one, or can not tell. */
async function online(signal?: AbortSignal): Promise<boolean> {
  if (globalThis.navigator?.onLine !== false) return false
  await new Promise<void>((resolve, reject) => {
    addEventListener('online', () => resolve(), { once: true })
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return true
}

export interface Patience {
  signal?: AbortSignal
  attempts?: number
  /** Whether this failure may pass. */
  passing(error: unknown): boolean
  /** What the other side asked us to wait, in seconds. */
  asked?(error: unknown): number | undefined
}

export async function patiently<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  const attempts = patience.attempts ?? 8
  for (let attempt = 0; ; attempt += 1) {
    patience.signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      patience.signal?.throwIfAborted()
      if (!patience.passing(error)) throw error
      // Tries made without a network do not count.
      if (await online(patience.signal)) attempt = 0
      if (attempt + 1 >= attempts) throw error
      const askedMs = (patience.asked?.(error) ?? 0) * 1000
      await pause(Math.max(askedMs, backoffMs(attempt)), patience.signal)
    }
  }
}
