// How long a viewer waits for the first segment after `complete`: films of 1, 10 and 60 minutes, the index in front and behind.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mediaPlaylist, mediaPlaylists } from '../tests/support/hls.ts'
import { startPlatform } from '../tests/support/platform.ts'
import { asTenant } from '../tests/support/tenant.ts'
import type { BenchRow } from './row.ts'
import { drawFootage } from './scene.ts'

const minutes = [1, 10, 60]
const patienceMs = 120_000

type Tenant = ReturnType<typeof asTenant>

/** Seconds from the answer to `complete` until the bytes of the best rendition's first segment are here. */
async function timeFirstSegment(tenant: Tenant, film: string): Promise<number> {
  const id = await tenant.upload(film)
  const startMs = performance.now()
  const seconds = () => (performance.now() - startMs) / 1000
  while (!(await tenant.asset(id)).playable) {
    const { state, error } = await tenant.asset(id)
    if (state === 'failed' || seconds() * 1000 > patienceMs)
      throw new Error(`no first segment of ${film}: ${state} ${error?.code}`)
    await sleep(100)
  }
  const { hlsUrl } = await tenant.playback(id)
  const [top, ...others] = await Promise.all((await mediaPlaylists(hlsUrl)).map(mediaPlaylist))
  if (others.some(({ segments }) => segments.length !== top?.segments.length))
    throw new Error('the playlists do not end at the same segment')
  for (const url of [top?.init, top?.keyUrl, top?.segments[0]]) {
    const reply = await fetch(url ?? '')
    if (!reply.ok) throw new Error(`${reply.status} for a part of the first segment`)
    await reply.arrayBuffer()
  }
  const took = seconds()
  // What is left of it would only take time from the next one.
  await tenant.call('DELETE', `/api/v1/assets/${id}`)
  await sleep(3000)
  return took
}

export async function benchFirstSegment(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'movidone-first-'))
  const platform = await startPlatform()
  const tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  const rows: BenchRow[] = []
  try {
    for (const length of minutes) {
      for (const index of ['in front', 'behind'] as const) {
        const indexInFront = index === 'in front'
        const film = await drawFootage(folder, { seconds: 60 * length, kbps: 1500, indexInFront })
        const took = await timeFirstSegment(tenant, film)
        rows.push({
          name: `first segment of ${length} min of 1080p, index ${index}`,
          value: Math.round(took * 10) / 10,
          unit: 's',
          note: 'floor 10, goal 5',
        })
      }
    }
  } finally {
    await platform.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return rows
}
