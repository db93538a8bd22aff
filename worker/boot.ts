// Who a worker is while its node is in its hands: a boot with an id and a secret of its own, of which only the hash leaves it.
import { toBase64url } from '../shared/core/base64url.ts'
import { sha256Hex } from '../shared/core/hash.ts'
import type { Random } from '../shared/core/random.ts'

export interface Boot {
  readonly id: string
  readonly sha256: string
  /** What its reports are signed with, as `{node}.{secret}`. */
  readonly credential: string
}

export function makeBoot(node: string, random: Random): Boot {
  const secret = toBase64url(random.bytes(32))
  return {
    id: Buffer.from(random.bytes(10)).toString('hex'),
    sha256: sha256Hex(secret),
    credential: `${node}.${secret}`,
  }
}
