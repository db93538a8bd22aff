// Hashes and the one comparison that may be used on secrets.
import { createHash, timingSafeEqual } from 'node:crypto'

export const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()

export const sha256Hex = (data: string | Uint8Array): string => sha256(data).toString('hex')

/** Takes the same time wherever the values differ; hashes first, so that lengths do not show either. */
export const constantTimeEqual = (a: string | Uint8Array, b: string | Uint8Array): boolean =>
  timingSafeEqual(sha256(a), sha256(b))
