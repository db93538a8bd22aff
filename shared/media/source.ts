// What ffmpeg may read: one source behind a nonce on loopback, by HTTP ranges, only as far as it keeps up.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SourceStore } from '../assets/ports.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import type { OpenedSource } from '../encode/ports.ts'
import { type BlockCache, createBlockCache } from './blocks.ts'

interface Source {
  readonly blob: string
  readonly etag: string
  readonly sizeBytes: number
}

const blockBytes = 1 << 20
/** Per process: 16 MiB that pass and 32 MiB that stay, which holds the index of a long film. */
export const createSourceCache = (): BlockCache => createBlockCache({ passing: 16, kept: 32 })

export interface SourceDeps {
  readonly store: SourceStore
  readonly cache: BlockCache
  readonly random: Random
}

export async function openSource(
  source: Source,
  { store, cache, random }: SourceDeps,
): Promise<OpenedSource> {
  const failure = new AbortController()
  let fetchedBytes = 0

  async function fetchBlock(offset: number): Promise<Uint8Array> {
    const count = Math.min(blockBytes, source.sizeBytes - offset)
    const bytes = await store.read(source.blob, { offset, count, etag: source.etag })
    if (bytes.length !== count) throw new Problem('source-changed')
    fetchedBytes += bytes.length
    return bytes
  }

  /** The rest of the block that `offset` lies in. */
  async function blockFrom(offset: number): Promise<Uint8Array> {
    const start = offset - (offset % blockBytes)
    try {
      const block = await cache.get(`${source.blob}\n${source.etag}\n${start}`, () => fetchBlock(start))
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
      const part = (await blockFrom(at)).subarray(0, end - at)
      parts.push(part)
      at += part.length
    }
    return Buffer.concat(parts)
  }

  const path = `/${Buffer.from(random.bytes(16)).toString('hex')}`
  const server = createServer((request, response) => {
    answer(request, response, { path, sizeBytes: source.sizeBytes, blockFrom }).catch(() =>
      response.destroy(),
    )
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
  readonly blockFrom: (offset: number) => Promise<Uint8Array>
}

async function answer(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { path, sizeBytes, blockFrom } = served
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
  // A block is fetched only once the last one was taken: an open-ended range never pulls the whole film.
  for (let at = start; at < end && !response.destroyed; ) {
    const part = (await blockFrom(at)).subarray(0, end - at)
    at += part.length
    await written(response, part)
  }
  response.end()
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
