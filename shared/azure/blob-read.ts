// What is read of a blob: exactly the bytes asked for, whole in memory, or nothing because it is absent.
import { addAbortSignal, type Readable } from 'node:stream'
import type { BlobClient } from '@azure/storage-blob'
import type { BlobFacts } from '../assets/ports.ts'
import { bodyInterrupted, nameOf, statusOf } from './failure.ts'

/** A blob that is not there; a container that is not there is a fault of the deployment and stays an error. */
const isAbsent = (error: unknown): boolean => statusOf(error) === 404 && nameOf(error) !== 'ContainerNotFound'

export const absentAsUndefined = (error: unknown): undefined => {
  if (isAbsent(error)) return undefined
  throw error
}

export async function readFacts(blob: BlobClient, abortSignal: AbortSignal): Promise<BlobFacts | undefined> {
  const properties = await blob.getProperties({ abortSignal }).catch(absentAsUndefined)
  if (!properties) return undefined
  const { contentLength, etag } = properties
  if (contentLength === undefined || !etag) throw new Error('the Blob service told no size or no ETag')
  return { sizeBytes: contentLength, etag }
}

interface ByteRange {
  readonly offset: number
  readonly count: number
  /** `If-Match`, RFC 9110 13.1.1. */
  readonly etag?: string
}

/** Without a range the whole blob. A range that goes beyond the end is the caller's mistake: nothing is cut short. */
export async function readBytes(
  blob: BlobClient,
  signal: AbortSignal,
  range?: ByteRange,
): Promise<Uint8Array | undefined> {
  if (range?.count === 0) return new Uint8Array()
  const conditions = range?.etag ? { ifMatch: range.etag } : {}
  const response = await blob
    .download(range?.offset ?? 0, range?.count, { conditions, abortSignal: signal })
    .catch(absentAsUndefined)
  if (!response) return undefined
  const body = response.readableStreamBody as Readable
  const promised = response.contentLength ?? -1
  if (promised !== (range?.count ?? promised)) {
    body.on('error', () => {}).destroy()
    throw new RangeError(
      `asked for ${range?.count} bytes at ${range?.offset}, the blob has ${promised} there`,
    )
  }
  return collect(addAbortSignal(signal, body), promised)
}

async function collect(body: Readable, sizeBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  let filled = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) filled += chunk.copy(bytes, filled)
    if (filled !== sizeBytes) throw new Error(`${filled} of ${sizeBytes} bytes came`)
  } catch (cause) {
    throw Object.assign(new Error('the body broke off', { cause }), { code: bodyInterrupted })
  }
  return bytes
}
