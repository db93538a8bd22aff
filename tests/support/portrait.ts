// What a title is apart from its ids, its keys and its IVs: two encodes of one film have the same portrait.
import { createDecipheriv, createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { type MediaPlaylist, mediaPlaylist, mediaPlaylists } from './hls.ts'
import { fetch } from './patience.ts'
import type { Tenant } from './tenant.ts'

export type Portrait = Awaited<ReturnType<typeof portrait>>

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

async function bytesOf(url: string): Promise<Buffer> {
  const reply = await fetch(url)
  if (!reply.ok) throw new Error(`${reply.status} for ${new URL(url).pathname.split('/').slice(5).join('/')}`)
  return Buffer.from(await reply.arrayBuffer())
}

/** A title that has just become ready may be remembered for a moment as one that grows. */
async function endedPlaylist(url: string): Promise<MediaPlaylist> {
  for (let waits = 0; ; waits++) {
    const list = await mediaPlaylist(url)
    if (list.ended) return list
    if (waits === 50) throw new Error('the playlist of a title that is ready does not end')
    await sleep(100)
  }
}

/** Segments as they were before they were sealed (RFC 8216 4.3.2.4): byte for byte what the encoder made. */
async function track(url: string) {
  const { init, keyUrl, segments, ivs, durations } = await endedPlaylist(url)
  const key = await bytesOf(keyUrl)
  const opened = await Promise.all(
    segments.map(async (segment, n) => {
      const sealed = await bytesOf(segment)
      const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(ivs[n] ?? '', 'hex'))
      return `${sealed.length} ${hash(Buffer.concat([decipher.update(sealed), decipher.final()]))}`
    }),
  )
  return { durations, init: hash(await bytesOf(init)), segments: opened }
}

export async function portrait(tenant: Tenant, assetId: string) {
  const { state, durationSeconds, renditions, progress, error } = await tenant.asset(assetId)
  const { hlsUrl, posterUrl } = await tenant.playback(assetId)
  const tracks = await Promise.all((await mediaPlaylists(hlsUrl)).map(track))
  return {
    ...{ state, durationSeconds, renditions, progress, error, tracks },
    master: (await bytesOf(hlsUrl)).toString(),
    poster: hash(await bytesOf(posterUrl)),
  }
}

/** Names of all blobs of a title, its ids taken out; how often it was published on the way is left to chance. */
export async function blobsOf(
  store: { url: string; key: string },
  of: { tenantId: string; assetId: string },
): Promise<string[]> {
  const service = new BlobServiceClient(store.url, new StorageSharedKeyCredential('movidone', store.key))
  const folder = `${of.tenantId}/${of.assetId}/`
  const names: string[] = []
  for (const container of ['sources', 'media'])
    for await (const { name } of service.getContainerClient(container).listBlobsFlat({ prefix: folder }))
      names.push(`${container}/${name.slice(folder.length)}`)
  const plan = names.flatMap((name) => /\/plan-(\w+)\.json$/.exec(name)?.[1] ?? [])[0] ?? ''
  const growing = names.filter((name) => name.includes('/timeline-')).toSorted(byNumber)
  return names
    .filter((name) => !growing.slice(0, -1).includes(name))
    .map((name) => (plan ? name.replace(plan, 'plan') : name))
    .toSorted()
}

const byNumber = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
