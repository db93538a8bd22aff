// Whoever is told to come back comes back (RFC 9110 section 15.6.4): a busy machine says 503 where its own store is slow.
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 120_000
const pauseMs = 500

/** For what may be asked again. */
export async function patiently<T extends { readonly status: number }>(ask: () => Promise<T>): Promise<T> {
  for (const endMs = Date.now() + patienceMs; ; await sleep(pauseMs)) {
    const answer = await ask()
    if (answer.status !== 503 || Date.now() > endMs) return answer
  }
}

const safe = ['GET', 'HEAD', 'OPTIONS']

/** RFC 9110 section 9.2.1: what only asks changes nothing when it asks again. */
export const fetch = (url: string | URL, init: RequestInit = {}): Promise<Response> => {
  const ask = () => globalThis.fetch(url, init)
  return safe.includes(init.method ?? 'GET') ? patiently(ask) : ask()
}
