// A tenant's own site on an origin of its own: a page with players, pages as a test writes them, and a clear copy of a title.
import { createDecipheriv } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface SecondOrigin {
  origin: string
  /** The same playlists and segments without their encryption, below this site. */
  clearCopy(hlsUrl: string): string
  /** Puts a page on the site, such as its tenant would write it; with headers of its own. */
  publish(html: string, headers?: Record<string, string>): string
  stop(): Promise<void>
}

const pageScript = fileURLToPath(new URL('./player-page.ts', import.meta.url))

const get = async (url: URL): Promise<Buffer> => {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.pathname.split('/').pop()} answered ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

/** Takes EXT-X-KEY out of a playlist and notes how to open each segment that follows it (RFC 8216 4.3.2.4). */
function withoutKeys(playlist: string, at: URL, sealed: Map<string, { key: URL; iv: Buffer }>): string {
  let current: { key: URL; iv: Buffer } | undefined
  const lines = playlist.split('\n').filter((line) => {
    const found = /^#EXT-X-KEY:.*URI="([^"]+)".*IV=0x([0-9a-fA-F]{32})/.exec(line)
    if (found) current = { key: new URL(found[1]!, at), iv: Buffer.from(found[2]!, 'hex') }
    if (current && line && !line.startsWith('#')) sealed.set(new URL(line, at).pathname, current)
    return !line.startsWith('#EXT-X-KEY')
  })
  return lines.join('\n')
}

/** Two players are much to bundle: done once for all sites, and only if a page asks for them. */
let bundled: Promise<Uint8Array> | undefined
const bundle = (): Promise<Uint8Array> => {
  bundled ??= build({
    entryPoints: [pageScript],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'error',
  }).then(({ outputFiles }) => outputFiles[0]!.contents)
  return bundled
}

export async function startSecondOrigin(): Promise<SecondOrigin> {
  const sealed = new Map<string, { key: URL; iv: Buffer }>()
  let upstream = ''
  const pages = new Map<string, { html: string; headers: Record<string, string> }>()

  async function clear(path: string): Promise<Buffer | string> {
    const url = new URL(path, upstream)
    const bytes = await get(url)
    if (path.endsWith('.m3u8')) return withoutKeys(bytes.toString(), url, sealed)
    const seal = sealed.get(path)
    if (!seal) return bytes
    const decipher = createDecipheriv('aes-128-cbc', await get(seal.key), seal.iv)
    return Buffer.concat([decipher.update(bytes), decipher.final()])
  }

  const server = createServer(async (request, response) => {
    const path = request.url ?? '/'
    try {
      const page = pages.get(path)
      if (page) {
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers })
          .end(page.html)
      } else if (path === '/player.js')
        response.setHeader('content-type', 'text/javascript').end(await bundle())
      else if (path.startsWith('/clear/'))
        response
          .setHeader('content-type', path.endsWith('.m3u8') ? 'application/vnd.apple.mpegurl' : 'video/mp4')
          .end(await clear(path.slice('/clear'.length)))
      else
        response
          .setHeader('content-type', 'text/html; charset=utf-8')
          .end('<!doctype html><title>A site</title><body><script type="module" src="/player.js"></script>')
    } catch (error) {
      response.writeHead(502).end(String(error))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    clearCopy(hlsUrl) {
      const url = new URL(hlsUrl)
      upstream = url.origin
      return `${origin}/clear${url.pathname}`
    },
    publish(html, headers = {}) {
      const path = `/pages/${pages.size}`
      pages.set(path, { html, headers })
      return `${origin}${path}`
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
