// How an answer goes out: always whole, always with a length; one that ended early would hang its reader.
import type { HttpReply } from './route.ts'

export interface WholeReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array | undefined
}

export function whole({ status, headers, body }: HttpReply): WholeReply {
  // A segment is passed on as it is: a copy would hold it in memory twice.
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const length =
    headers['content-length'] ?? (bytes || status === 200 ? String(bytes?.length ?? 0) : undefined)
  return {
    status,
    headers: { ...headers, ...(length === undefined ? {} : { 'content-length': length }) },
    bytes,
  }
}
