// A title that one ffmpeg began is ended by another one after a restart: from the source, whole, and blamed for nothing.
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countFrames } from '../support/ffprobe.ts'
import { drawFilm } from '../support/film.ts'
import { type HeldFfmpeg, heldFfmpeg } from '../support/held-ffmpeg.ts'
import { mediaPlaylists } from '../support/hls.ts'
import { endAllPlatforms, startPlatform, stateFolder } from '../support/platform-process.ts'
import { asTenant } from '../support/tenant.ts'

const seconds = 14
const frameRate = 12.5
let folder: string
let old: HeldFfmpeg
let ffprobe: string

/** The static build of npm, copied to where its ffprobe may be run. */
async function staticBuild(name: 'ffmpeg' | 'ffprobe'): Promise<string> {
  const require = createRequire(import.meta.url)
  const home = dirname(require.resolve(`@${name}-installer/${process.platform}-${process.arch}/package.json`))
  const path = join(folder, name)
  await copyFile(join(home, name), path)
  await chmod(path, 0o755)
  return path
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-another-'))
  old = heldFfmpeg(folder, await staticBuild('ffmpeg'))
  ffprobe = await staticBuild('ffprobe')
  await drawFilm({ path: join(folder, 'film.mp4'), seconds, frameRate, size: '320x180' })
})
afterAll(async () => {
  await endAllPlatforms()
  await rm(folder, { recursive: true, force: true })
})

test('the encode begins anew and ends with every frame', async () => {
  const state = stateFolder()
  const env = { ...old.env, FFPROBE_PATH: ffprobe, ENCODE_CHUNK_SEGMENTS: '1' }
  // Its opening is all that the first one makes.
  old.hold()
  const first = startPlatform(state, { env })
  const { apiUrl, tenant } = await first.healthy()
  const before = asTenant(apiUrl, tenant.apiKey)
  const id = await before.upload(join(folder, 'film.mp4'))
  await before.until(id, ({ playable }) => playable)
  expect((await before.asset(id)).state).toBe('encoding')
  await first.end('SIGINT')

  // Two builds, whatever the machine has: other threads make another plan just as well.
  const second = startPlatform(state, { env: { ENCODE_THREADS: '1' } })
  const after = asTenant((await second.healthy()).apiUrl, tenant.apiKey)
  const asset = await after.until(id, ({ state: now }) => now === 'ready' || now === 'failed')
  expect(asset.error).toBeUndefined()
  expect(asset.durationSeconds).toBeCloseTo(seconds, 1)
  const { hlsUrl } = await after.playback(id)
  const [best = ''] = await mediaPlaylists(hlsUrl)
  expect(await countFrames(best)).toMatchObject({ count: seconds * frameRate, steps: [1 / frameRate] })
  await second.end('SIGINT')
})
