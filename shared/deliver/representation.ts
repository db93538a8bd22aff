// How one representation is answered: preconditions first, then Range, and not a byte read that is not sent.
import type { ReplyHeaders } from './cors.ts'
import { evaluatePreconditions, ifRangeHolds, type ReadHeader } from './preconditions.ts'
import { problemReply } from './problem-reply.ts'
import { type ByteRange, chooseRange } from './range.ts'

export interface Representation {
  readonly contentType: string
  readonly sizeBytes: number
  /** Strong, with its quotes; absent for what no cache may keep. */
  readonly etag?: string
  /** Cache-Control, and whatever else belongs to this representation. */
  readonly headers: ReplyHeaders
  /** Whether Range is heeded. */
  readonly ranges: boolean
  /** Exactly these bytes; undefined when they are gone. */
  read(range: ByteRange): Promise<Uint8Array | undefined>
}

export interface DeliverReply {
  readonly status: number
  readonly headers: ReplyHeaders
  /** Whole: an answer starts only when all that it promises is at hand. */
  readonly body?: Uint8Array
}

export interface RepresentationRequest {
  readonly method: string
  readonly header: ReadHeader
  /** Most bytes that one answer may hold. */
  readonly maxBytes: number
}

export async function answerWith(
  found: Representation,
  request: RepresentationRequest,
): Promise<DeliverReply> {
  const { etag, sizeBytes } = found
  const shared = {
    ...found.headers,
    ...(etag && { etag }),
    ...(found.ranges && { 'accept-ranges': 'bytes' }),
  }
  const verdict = etag ? evaluatePreconditions(request.header, etag) : 'proceed'
  if (verdict === 'not-modified') return { status: 304, headers: shared }
  if (verdict === 'failed') return problemReply('precondition-failed')

  // Range is defined for GET only (RFC 9110 14.2).
  const heeded = request.method === 'GET' && found.ranges && ifRangeHolds(request.header, etag ?? '')
  const choice = heeded ? chooseRange(request.header('range'), sizeBytes) : 'whole'
  if (choice === 'unsatisfiable') {
    return problemReply('range-not-satisfiable', { headers: { 'content-range': `bytes */${sizeBytes}` } })
  }
  const headers = { ...shared, 'content-type': found.contentType }
  if (choice === 'whole') return whole(found, request, headers)

  // A 206 describes itself, so that it may hold less than was asked for (15.3.7): never more than the bound.
  const last = Math.min(choice.last, choice.first + request.maxBytes - 1)
  const body = await exactly(found, { first: choice.first, last })
  if (!body) return problemReply('playback-refused')
  const contentRange = `bytes ${choice.first}-${last}/${sizeBytes}`
  const length = String(body.length)
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange, 'content-length': length },
    body,
  }
}

async function whole(
  found: Representation,
  { method, maxBytes }: RepresentationRequest,
  headers: ReplyHeaders,
): Promise<DeliverReply> {
  const { sizeBytes } = found
  const complete = { ...headers, 'content-length': String(sizeBytes) }
  if (method === 'HEAD') return { status: 200, headers: complete }
  if (sizeBytes > maxBytes) {
    const detail = `These are ${sizeBytes} bytes; ask for at most ${maxBytes} at once with Range.`
    return problemReply('too-large', { detail })
  }
  const body = sizeBytes === 0 ? new Uint8Array() : await exactly(found, { first: 0, last: sizeBytes - 1 })
  return body ? { status: 200, headers: complete, body } : problemReply('playback-refused')
}

/** A store that gave fewer or more bytes would make the answer a lie that hangs its reader: nothing is sent then. */
async function exactly(found: Representation, range: ByteRange): Promise<Uint8Array | undefined> {
  const bytes = await found.read(range)
  const count = range.last - range.first + 1
  if (bytes && bytes.length !== count) throw new Error(`read ${bytes.length} bytes instead of ${count}`)
  return bytes
}
