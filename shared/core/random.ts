// Where unpredictable bytes come from, and how a retried request draws the same ones again.
import { createHmac, randomBytes } from 'node:crypto'

export interface Random {
  bytes(count: number): Uint8Array
}

export const systemRandom: Random = { bytes: (count) => randomBytes(count) }

/**
 * A stream that anyone who holds `secret` draws again for the same `scope`: HMAC-SHA256 in counter mode
 * (NIST SP 800-108). A request with an Idempotency-Key takes its ids and secrets from here, so that its
 * repetition makes the same ones and nothing has to be remembered.
 */
export function seededRandom(secret: Uint8Array, scope: string): Random {
  let counter = 0
  let rest = Buffer.alloc(0)
  return {
    bytes(count) {
      while (rest.length < count) {
        const block = createHmac('sha256', secret).update(`${counter++}\0${scope}`).digest()
        rest = Buffer.concat([rest, block])
      }
      const out = rest.subarray(0, count)
      rest = rest.subarray(count)
      return out
    },
  }
}
