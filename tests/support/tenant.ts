// A tenant of the public API, as a test speaks for one: upload a file, wait for its title, open a session.
import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fetch, patiently } from './patience.ts'

export interface AssetView {
  id: string
  title: string
  state: 'uploading' | 'encoding' | 'ready' | 'failed'
  playable: boolean
  durationSeconds: number | null
  progress: { percent: number; stage: string }
  renditions: Array<{ name: string; kind: string; width?: number; height?: number; frameRate?: number }>
  error?: { code: string; detail: string }
  nextVersion?: { progress: { percent: number; stage: string }; error?: { code: string; detail: string } }
}

export interface Playback {
  sessionId: string
  token: string
  hlsUrl: string
  posterUrl: string
  storyboardUrl: string
  expiresAt: string
}

export type Tenant = ReturnType<typeof asTenant>

/** The store closes what was idle for a few seconds, maybe in the moment in which it is used again. */
const apart = { connection: 'close' }

export function asTenant(apiUrl: string, apiKey: string) {
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const init = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers }
    const reply = await fetch(`${apiUrl}${path}`, {
      method,
      headers: init,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, json: text ? JSON.parse(text) : undefined }
  }

  async function expectStatus<T>(status: number, answer: ReturnType<typeof call>): Promise<T> {
    const { status: got, json } = await answer
    if (got !== status) throw new Error(`expected ${status}, got ${got}: ${JSON.stringify(json)}`)
    return json as T
  }

  async function putBlock(uploadUrl: string, id: string, bytes: Uint8Array): Promise<void> {
    const url = `${uploadUrl}&comp=block&blockid=${encodeURIComponent(id)}`
    const reply = await fetch(url, { method: 'PUT', headers: apart, body: Buffer.from(bytes) })
    if (reply.status !== 201) throw new Error(`block ${id}: ${reply.status} ${await reply.text()}`)
  }

  async function putBlockList(uploadUrl: string, ids: readonly string[]): Promise<void> {
    const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`
    const reply = await fetch(`${uploadUrl}&comp=blocklist`, { method: 'PUT', headers: apart, body: list })
    if (reply.status !== 201) throw new Error(`block list: ${reply.status} ${await reply.text()}`)
  }

  /** The blocks of a file in parallel, then their list (Put Block, Put Block List). */
  async function put(uploadUrl: string, bytes: Uint8Array, blockBytes = 1 << 20): Promise<void> {
    const ids = Array.from({ length: Math.max(1, Math.ceil(bytes.length / blockBytes)) }, (_, n) =>
      Buffer.from(String(n).padStart(6, '0')).toString('base64'),
    )
    await Promise.all(
      ids.map((id, n) => putBlock(uploadUrl, id, bytes.subarray(n * blockBytes, (n + 1) * blockBytes))),
    )
    await putBlockList(uploadUrl, ids)
  }

  return {
    call,
    expectStatus,
    put,
    putBlock,
    putBlockList,
    asset: (id: string) => expectStatus<AssetView>(200, call('GET', `/api/v1/assets/${id}`)),

    /** Announces, puts and completes a file; resolves as soon as it is encoding. */
    async upload(file: string | Uint8Array, announce: Record<string, unknown> = {}): Promise<string> {
      const bytes = typeof file === 'string' ? await readFile(file) : file
      const fileName = typeof file === 'string' ? basename(file) : 'film.mp4'
      const sizeBytes = typeof file === 'string' ? (await stat(file)).size : bytes.length
      const ticket = await expectStatus<{ assetId: string; uploadUrl: string }>(
        201,
        call('POST', '/api/v1/uploads', { fileName, sizeBytes, ...announce }),
      )
      await put(ticket.uploadUrl, bytes)
      await expectStatus(202, call('POST', `/api/v1/uploads/${ticket.assetId}/complete`))
      return ticket.assetId
    },

    /** Asks until it is so, or throws with what it was last. */
    async until(id: string, so: (asset: AssetView) => boolean, patienceMs = 240_000): Promise<AssetView> {
      let asset: AssetView | undefined
      for (const end = Date.now() + patienceMs; Date.now() < end; ) {
        asset = await this.asset(id)
        if (so(asset)) return asset
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      throw new Error(`not so after ${patienceMs / 1000} s: ${JSON.stringify(asset)}`)
    },

    playback(id: string, ask: Record<string, unknown> = {}) {
      const once = { 'idempotency-key': randomUUID() }
      const open = () => call('POST', `/api/v1/assets/${id}/playback`, ask, once)
      return expectStatus<Playback>(201, patiently(open))
    },
  }
}
