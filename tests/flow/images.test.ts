// What a title is seen by without being played: I-frames that decode one by one, a storyboard; none of it without a token.
import { createDecipheriv } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as HLS from 'hls-parser'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coloursOf } from '../support/colours.ts'
import { countFrames } from '../support/ffprobe.ts'
import { drawFilm, secondOf } from '../support/film.ts'
import { mediaPlaylist } from '../support/hls.ts'
import { fetch } from '../support/patience.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Playback, type Tenant } from '../support/tenant.ts'

const seconds = 30
/** Where segments begin. */
const starts = [0, 2, 6, 10, 14, 18, 22, 26]

let platform: Platform
let tenant: Tenant
let folder: string
let id: string
let playback: Playback

const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer())
const iframesUrl = () => playback.hlsUrl.replace('master', 'iframes')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-images-'))
  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds, size: '640x360' })
  platform = await startPlatform()
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  id = await tenant.upload(film)
  const { error } = await tenant.until(id, ({ state }) => state === 'ready' || state === 'failed')
  expect(error).toBeUndefined()
  // Two clients: ffmpeg, and this test.
  playback = await tenant.playback(id, { policy: { maxClients: 2 } })
})

afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('the master names an I-frame playlist, which an independent parser reads', async () => {
  const master = HLS.parse((await bytesOf(playback.hlsUrl)).toString()) as HLS.types.MasterPlaylist
  const iframes = master.variants.filter(({ isIFrameOnly }) => isIFrameOnly)
  expect(iframes.map(({ uri, resolution }) => [uri, resolution])).toEqual([
    ['iframes.m3u8', { width: 426, height: 240 }],
  ])
  const playlist = HLS.parse((await bytesOf(iframesUrl())).toString()) as HLS.types.MediaPlaylist
  expect(playlist).toMatchObject({ isIFrame: true, endlist: true })
  expect(playlist.segments.map(({ duration }) => duration)).toEqual([2, ...Array(7).fill(4)])
})

test('ffmpeg plays it to the end: one picture for each segment', async () => {
  expect(await countFrames(iframesUrl())).toMatchObject({ count: starts.length, firstSeconds: 0 })
})

test('each segment is encrypted whole, and decodes alone to the picture of its moment', async () => {
  const { segments, init, keyUrl, ivs } = await mediaPlaylist(iframesUrl())
  const [head, key] = await Promise.all([bytesOf(init), bytesOf(keyUrl)])
  expect(key).toHaveLength(16)
  for (const [n, url] of segments.entries()) {
    const sealed = await bytesOf(url)
    expect(sealed.length % 16).toBe(0)
    const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(ivs[n] ?? '', 'hex'))
    const clear = Buffer.concat([decipher.update(sealed), decipher.final()])
    const colours = coloursOf(Buffer.concat([head, clear]))
    expect([n, colours.map(secondOf)]).toEqual([n, [(starts[n] ?? 0) % 12]])
    expect(coloursOf(Buffer.concat([head, sealed]))).toEqual([])
  }
})

test('the storyboard is there with the title, and all of this goes when the token is not good', async () => {
  const sprite = new URL('storyboard/1.0/0.jpg', playback.storyboardUrl).href
  const { segments, keyUrl } = await mediaPlaylist(iframesUrl())
  const urls = [playback.storyboardUrl, sprite, iframesUrl(), segments[0] ?? '', keyUrl]
  const statuses = (change = (url: string) => url) =>
    Promise.all(urls.map(async (url) => (await fetch(change(url))).status))
  expect(await statuses()).toEqual([200, 200, 200, 200, 200])
  const { token } = playback
  const wrong = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
  expect(await statuses((url) => url.replace(token, wrong))).toEqual([403, 403, 403, 403, 403])

  const low = await tenant.playback(id, { policy: { maxResolution: 240 } })
  const least = await tenant.playback(id, { policy: { maxResolution: 100 } })
  expect(await statuses((url) => url.replace(token, low.token))).toEqual([200, 200, 200, 200, 200])
  expect(await statuses((url) => url.replace(token, least.token))).toEqual([403, 403, 403, 403, 403])

  await tenant.expectStatus(204, tenant.call('DELETE', `/api/v1/sessions/${playback.sessionId}`))
  await expect.poll(() => statuses()).toEqual([403, 403, 403, 403, 403])
})
