// What ffmpeg may read: one source behind a nonce on loopback, by HTTP ranges, only as far as it keeps up.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SourceStore } from '../assets/ports.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import type { Layout, OpenedSource } from '../encode/ports.ts'
import { type BlockCache, createBlockCache } from './blocks.ts'
import { createSparse } from './sparse.ts'

interface Source {
  readonly blob: string
  readonly etag: string
  readonly sizeBytes: number
}

const blockBytes = 256 << 10
const blocksOfMiB = (1 << 20) / blockBytes
/**
 * Per process: 64 MiB that pass, since a chunk begins in what its neighbour reads, and 32 MiB that stay, which holds the
 * index of a long film.
 */
export const createSourceCache = (): BlockCache =>
  createBlockCache({ passing: 64 * blocksOfMiB, kept: 32 * blocksOfMiB })

export interface SourceDeps {
  readonly store: SourceStore
  readonly cache: BlockCache
  readonly random: Random
  readonly layout?: Layout | undefined
}

export async function openSource(
  source: Source,
  { store, cache, random, layout }: SourceDeps,
): Promise<OpenedSource> {
  const failure = new AbortController()
  let fetchedBytes = 0

  async function fetched(offset: number, count: number): Promise<Uint8Array> {
    const bytes = await store.read(source.blob, { offset, count, etag: source.etag })
    if (bytes.length !== count) throw new Problem('source-changed')
    fetchedBytes += bytes.length
    return bytes
  }
  const sparse = layout && createSparse(layout, fetched)

  /** The rest of the block, or of the piece, that `offset` lies in. */
  async function partFrom(offset: number): Promise<Uint8Array> {
    const start = offset - (offset % blockBytes)
    const count = Math.min(blockBytes, source.sizeBytes - start)
    try {
      const part = await sparse?.part(offset)
      if (part) return part
      const block = await cache.get(`${source.blob}\n${source.etag}\n${start}`, () => fetched(start, count))
      return block.subarray(offset - start)
    } catch (error) {
      failure.abort(error)
      throw error
    }
  }

  async function read(offset: number, count: number): Promise<Uint8Array> {
    const end = Math.min(offset + count, source.sizeBytes)
    const parts: Uint8Array[] = []
    for (let at = offset; at < end; ) {
      const part = (await partFrom(at)).subarray(0, end - at)
      parts.push(part)
      at += part.length
    }
    return Buffer.concat(parts)
  }

  const path = `/${Buffer.from(random.bytes(16)).toString('hex')}`
  const server = createServer((request, response) => {
    answer(request, response, { path, sizeBytes: source.sizeBytes, partFrom }).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    sizeBytes: source.sizeBytes,
    read,
    failed: failure.signal,
    fetchedBytes: () => fetchedBytes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Served {
  readonly path: string
  readonly sizeBytes: number
  readonly partFrom: (offset: number) => Promise<Uint8Array>
}

async function answer(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { path, sizeBytes, partFrom } = served
  if (request.url !== path || request.method !== 'GET') return void response.writeHead(404).end()
  const range = parseRange(request.headers.range, sizeBytes)
  if (!range)
    return void response
      .writeHead(416, { 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 })
      .end()
  const [start, end] = range
  response.writeHead(206, {
    'accept-ranges': 'bytes',
    'content-range': `bytes ${start}-${end - 1}/${sizeBytes}`,
    'content-length': end - start,
    'content-type': 'application/octet-stream',
    connection: 'close',
  })
  // An open-ended range never pulls the whole film: a reader that goes on has one block fetched ahead, and no more.
  let next = partFrom(start)
  for (let at = start; at < end && !response.destroyed; ) {
    const part = (await next).subarray(0, end - at)
    at += part.length
    const isAhead = at < end && at - start > blockBytes
    if (isAhead) next = quietly(partFrom(at))
    await written(response, part)
    if (at < end && !isAhead) next = partFrom(at)
  }
  response.end()
}

/** Nobody may wait for it any more when it fails. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** In small writes, since what a socket holds is read ahead for nothing when ffmpeg seeks away. */
async function written(response: ServerResponse, part: Uint8Array): Promise<void> {
  const step = 64 << 10
  for (let at = 0; at < part.length && !response.destroyed; at += step) {
    if (response.write(part.subarray(at, at + step))) continue
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.once('drain', done)
      response.once('close', done)
    })
  }
}

/** The one form that ffmpeg sends, `bytes=a-` or `bytes=a-b` (RFC 9110 14.1.2); end exclusive. */
export function parseRange(header: string | undefined, sizeBytes: number): [number, number] | undefined {
  if (header === undefined) return sizeBytes > 0 ? [0, sizeBytes] : undefined
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header)
  if (!match) return undefined
  const start = Number(match[1])
  const end = match[2] ? Math.min(Number(match[2]) + 1, sizeBytes) : sizeBytes
  return start < end ? [start, end] : undefined
}
