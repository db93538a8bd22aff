// A tenant's backend in a few lines: uploads a film with the routes of the API and waits until it is ready.
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Tenant {
  apiUrl: string
  apiKey: string
}

interface Title {
  id: string
  state: string
  durationSeconds: number
  renditions: Array<{ name: string; kind: string; width?: number; height?: number; frameRate?: number }>
  error?: { code: string; detail: string }
}

/** One call; anything but success throws what the problem says. */
export async function call<T>(tenant: Tenant, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${tenant.apiUrl}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${tenant.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}

export async function publish(tenant: Tenant, path: string): Promise<Title> {
  const film = await openAsBlob(path)
  const ticket = await call<{ assetId: string; uploadUrl: string }>(tenant, 'POST', 'uploads', {
    fileName: basename(path),
    sizeBytes: film.size,
  })
  const id = btoa('000000')
  const puts: Array<[string, Blob | string]> = [
    [`comp=block&blockid=${encodeURIComponent(id)}`, film],
    ['comp=blocklist', `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>${id}</Latest></BlockList>`],
  ]
  for (const [query, body] of puts) {
    const put = await fetch(`${ticket.uploadUrl}&${query}`, { method: 'PUT', body })
    if (put.status !== 201) throw new Error(`storage answered ${put.status}: ${await put.text()}`)
  }
  await call(tenant, 'POST', `uploads/${ticket.assetId}/complete`, {})
  for (;;) {
    const title = await call<Title>(tenant, 'GET', `assets/${ticket.assetId}`)
    if (title.state === 'ready') return title
    if (title.state === 'failed')
      throw new Error(`the film failed: ${title.error?.code} ${title.error?.detail}`)
    await delay(250)
  }
}

export const playbackOf = (tenant: Tenant, assetId: string, more: { ttlSeconds?: number } = {}) =>
  call<{ hlsUrl: string; posterUrl: string; token: string; sessionId: string }>(
    tenant,
    'POST',
    `assets/${assetId}/playback`,
    more,
  )
