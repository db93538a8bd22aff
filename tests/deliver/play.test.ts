// The whole way of a segment through real stores: sealed, kept, asked for and played by ffmpeg; useless without its key.
import { createDecipheriv } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, packets, serveDrawnTitle } from './drawn-title.ts'

let title: Awaited<ReturnType<typeof serveDrawnTitle>>
/** One session each for ffmpeg and for what asks beside it: they are two clients. */
let base = ''
let beside = ''
let sessionId = ''

beforeAll(async () => {
  title = await serveDrawnTitle()
  const { tenantId } = title.asset
  const open = () => title.protect.openSession({ tenantId, asset: title.asset })
  base = `${title.origin}/${(await open()).token}`
  const opened = await open()
  sessionId = opened.sessionId
  beside = `${title.origin}/${opened.token}`
})
afterAll(() => title?.stop())

const segmentBlobs = () =>
  title.timeline.renditions.flatMap(({ segments }) => segments.map(({ blob }) => blob))

describe('with the token', () => {
  test.each(['v', 'a'] as const)('ffmpeg gets every packet as it was drawn: %s', async (stream) => {
    const playlist = join(title.directory, stream === 'v' ? 'video.m3u8' : 'audio.m3u8')
    const drawn = await packets(playlist, stream)
    expect(drawn.length).toBeGreaterThanOrEqual(100)
    expect(await packets(`${base}/master.m3u8`, stream)).toEqual(drawn)
  })

  test('every frame decodes', async () => {
    const text = await ask(['-xerror', '-i', `${base}/master.m3u8`, '-map', '0:v:0', '-f', 'framecrc', '-'])
    expect(text.split('\n').filter((line) => /^\d/.test(line))).toHaveLength(100)
  })

  test('a segment comes in ranges that put together are the blob', async () => {
    const url = `${beside}/v180/1.0/0.m4s`
    const [whole, a, b] = await Promise.all(
      [undefined, 'bytes=0-999', 'bytes=1000-'].map((range) =>
        fetch(url, { headers: range ? { range } : {} }),
      ),
    )
    expect([whole?.status, a?.status, b?.status]).toEqual([200, 206, 206])
    const parts = [await a!.arrayBuffer(), await b!.arrayBuffer()].map((part) => Buffer.from(part))
    const stored = await title.media.get(segmentBlobs()[0]!)
    expect(Buffer.concat(parts)).toEqual(Buffer.from(await whole!.arrayBuffer()))
    expect(Buffer.concat(parts).equals(stored!)).toBe(true)
  })
})

describe('what lies in Blob', () => {
  test('shows nothing of the media: no box, no run of clear bytes', async () => {
    const clear = [...title.drawn.v180.segments, ...title.drawn.audio.segments]
    const stored = await Promise.all(segmentBlobs().map((blob) => title.media.get(blob)))
    expect(stored).toHaveLength(clear.length)
    for (const [n, bytes] of clear.entries()) {
      const sealed = Buffer.from(stored[n] ?? [])
      // A box begins with its size: four letters alone may come about by chance.
      for (const box of ['moof', 'mdat', 'traf', 'styp']) {
        const at = bytes.indexOf(box)
        expect(at).toBeGreaterThan(0)
        expect(sealed.includes(bytes.subarray(at - 4, at + 4))).toBe(false)
      }
      for (let at = 0; at + 16 <= bytes.length; at += 997)
        expect(sealed.includes(bytes.subarray(at, at + 16))).toBe(false)
      expect(sealed.length).toBe(bytes.length - (bytes.length % 16) + 16)
    }
  })

  test('opens with its own key and IV, and with no other of either', async () => {
    const [v180, audio] = title.timeline.renditions
    const sealed = Buffer.from((await title.media.get(v180!.segments[1]!.blob)) ?? [])
    const keyOf = async (id: string) => Buffer.from(await (await fetch(`${beside}/keys/${id}`)).arrayBuffer())
    const iv = (number: number) =>
      title.protect.segmentIv({ version: 1, planHash: title.timeline.planHash, rendition: 'v180', number })
    const open = (key: Uint8Array, from: Uint8Array) => {
      try {
        const decipher = createDecipheriv('aes-128-cbc', key, from)
        return Buffer.concat([decipher.update(sealed), decipher.final()])
      } catch {
        return undefined
      }
    }
    const right = await keyOf(v180!.keyId)
    const clear = title.drawn.v180.segments[1]!
    expect(open(right, iv(1))?.equals(clear)).toBe(true)
    expect(open(right, iv(0))?.equals(clear)).toBe(false)
    const nearly = right.map((byte, n) => (n === 15 ? byte ^ 1 : byte))
    for (const wrong of [await keyOf(audio!.keyId), Buffer.alloc(16), nearly])
      expect(open(wrong, iv(1))?.equals(clear) ?? false).toBe(false)
  })

  test('does not play for who has stolen it all but the keys', async () => {
    const { timeline, directory, media } = title
    const [v180] = timeline.renditions
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:6',
      '#EXT-X-TARGETDURATION:1',
      '#EXT-X-MAP:URI="stolen-init.mp4"',
    ]
    await writeFile(join(directory, 'stolen-init.mp4'), (await media.get(v180!.init.blob)) ?? '')
    for (const [n, { blob }] of v180!.segments.entries()) {
      await writeFile(join(directory, `stolen-${n}.m4s`), (await media.get(blob)) ?? '')
      lines.push('#EXTINF:1,', `stolen-${n}.m4s`)
    }
    await writeFile(join(directory, 'stolen.m3u8'), [...lines, '#EXT-X-ENDLIST', ''].join('\n'))
    expect(await packets(`${base}/v180.m3u8`, 'v')).toHaveLength(100)
    expect(await packets(join(directory, 'stolen.m3u8'), 'v').catch(() => [])).toEqual([])
  })

  test('does not play with a key that differs in one bit', async () => {
    expect(await packets(`${base}/v180.m3u8`, 'v')).toHaveLength(100)
    title.tamper.key = (key) => key.map((byte, n) => (n === 0 ? byte ^ 1 : byte))
    try {
      expect(await packets(`${base}/v180.m3u8`, 'v').catch(() => [])).toEqual([])
    } finally {
      delete title.tamper.key
    }
  })
})

describe('without the token', () => {
  test('a changed one, and from its end on a revoked one, gets not a byte', async () => {
    const paths = [
      'master.m3u8',
      'v180.m3u8',
      'v180/1.0/init.mp4',
      'v180/1.0/0.m4s',
      `keys/${title.timeline.renditions[0]!.keyId}`,
    ]
    const statuses = (root: string) =>
      Promise.all(paths.map(async (path) => (await fetch(`${root}/${path}`)).status))
    expect(await statuses(beside)).toEqual([200, 200, 200, 200, 200])
    const forged = beside.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))
    expect(await statuses(forged)).toEqual([403, 403, 403, 403, 403])
    expect(await packets(`${forged}/master.m3u8`, 'v').catch(() => [])).toEqual([])
    await title.protect.revokeSession(title.asset.tenantId, sessionId)
    expect(await statuses(beside)).toEqual([403, 403, 403, 403, 403])
  })
})
