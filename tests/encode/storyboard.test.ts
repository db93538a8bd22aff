// The storyboard: every tile is the film at its moment, upright and in its colours; the same bytes each time it is made.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { spriteArgv } from '../../shared/encode/argv-storyboard.ts'
import { segmentCount, segmentStart } from '../../shared/encode/grid.ts'
import type { Plan } from '../../shared/encode/plan.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'
import { layStoryboard } from '../../shared/encode/storyboard.ts'
import { drawFilm, secondOf } from '../support/film.ts'
import { draw, type Encoded, encodeFilm, greyFrames, lavfi, plainH264 } from './film.ts'
import { target } from './stage.ts'

const spriteOf = ({ timeline, stage }: Encoded, n = 0): Buffer =>
  Buffer.from(stage.media.get(timeline.storyboard?.sprites[n]?.blob ?? '') ?? '')

/** Decoded by itself: the colour of the middle of each tile, and the size of the whole sprite. */
function look(jpeg: Buffer, { timeline }: Encoded) {
  const { tileWidth, tileHeight, columns } = timeline.storyboard!
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  const [height, width] = [jpeg.readUInt16BE(at + 5), jpeg.readUInt16BE(at + 7)]
  const argv = ['-v', 'error', '-f', 'mjpeg', '-i', '-', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-']
  const rgb = execFileSync('ffmpeg', argv, { input: jpeg, maxBuffer: 1 << 28 })
  const pixel = (tile: number): [number, number, number] => {
    const x = (tile % columns) * tileWidth + (tileWidth >> 1)
    const y = Math.floor(tile / columns) * tileHeight + (tileHeight >> 1)
    const first = 3 * (y * width + x)
    return [rgb[first] ?? 0, rgb[first + 1] ?? 0, rgb[first + 2] ?? 0]
  }
  return { width, height, pixel }
}

describe('of a film whose colour tells the second', () => {
  const seconds = 43
  const frameRate = 5
  let made: Encoded
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'movidone-storyboard-'))
    await drawFilm({ path: join(folder, 'film.mp4'), seconds, frameRate, size: '640x360' })
    made = await encodeFilm(readFileSync(join(folder, 'film.mp4')), 4, { withImages: true })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('each tile is the first picture of its segment', () => {
    const { storyboard } = made.timeline
    const segments = segmentCount(made.plan.video)
    expect(storyboard).toMatchObject({ tileWidth: 160, tileHeight: 90, columns: 10, rows: 10, step: 1 })
    expect(storyboard?.sprites).toHaveLength(1)
    const sprite = spriteOf(made)
    expect(storyboard?.sprites[0]?.sizeBytes).toBe(sprite.length)
    expect(segments).toBeGreaterThan(10)
    const { width, height, pixel } = look(sprite, made)
    expect([width, height]).toEqual([1600, 90 * Math.ceil(segments / 10)])
    for (let n = 0; n < segments; n++)
      expect([n, secondOf(pixel(n))]).toEqual([n, (segmentStart(made.plan.video, n) / frameRate) % 12])
  })

  test('a repeat leaves it as it is, and makes the same bytes where it is gone', async () => {
    const { stage, encode, outcome } = made
    if (!outcome.ok) throw new Error()
    const { blob = '' } = made.timeline.storyboard?.sprites[0] ?? {}
    const before = spriteOf(made)
    stage.setAsset({ ...made.asset, state: 'encoding' })
    const images = () => encode.images({ ...target, plan: outcome.plan })
    expect(await images()).toEqual({ ok: true })
    stage.media.delete(blob)
    expect(await images()).toEqual({ ok: true })
    expect(spriteOf(made).equals(before)).toBe(true)
  })

  test('a title that is deleted meanwhile keeps nothing of it', async () => {
    const { stage, encode, outcome } = made
    if (!outcome.ok) throw new Error()
    expect(stage.media.size).toBeGreaterThan(0)
    stage.setAsset({ ...made.asset, state: 'failed' })
    expect(await encode.images({ ...target, plan: outcome.plan })).toMatchObject({ ok: false })
    expect(stage.media.size).toBe(0)
  })
})

test('a standing picture has standing tiles, and a tiny one is not made larger', async () => {
  const encoded = (...grey: Parameters<typeof greyFrames>) =>
    encodeFilm(draw([...lavfi(greyFrames(...grey)), ...plainH264]), 4, { withImages: true })
  const standing = await encoded('5', 5, '360x640')
  expect(standing.timeline.storyboard).toMatchObject({ tileWidth: 90, tileHeight: 160, columns: 2 })
  const { width, height } = look(spriteOf(standing), standing)
  expect([width, height]).toEqual([180, 160])

  const tiny = await encoded('5', 1, '64x48')
  const small = tiny.plan.renditions.at(-1)!
  expect(tiny.timeline.storyboard).toMatchObject({ tileWidth: small.width, tileHeight: small.height })
})

test('pictures that can not be made leave a title without a storyboard, and ready', async () => {
  const film = draw([...lavfi(greyFrames('5', 3)), ...plainH264])
  const whole = await encodeFilm(film, 4, { withImages: true })
  expect(whole.timeline.storyboard).toBeDefined()
  const broken = await encodeFilm(film, 4, {
    withImages: true,
    beforeImages: ({ media }) => {
      for (const name of media.keys()) if (name.includes('/iframes/')) media.set(name, Buffer.alloc(64))
    },
  })
  expect(broken.asset.state).toBe('ready')
  expect(broken.timeline.storyboard).toBeUndefined()
})

test('a film of any length has at most twenty sprites, with every step of it once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 25 * 3600 * 12 }), (frames) => {
      const video = { frames, openingFrames: Math.min(50, frames), segmentFrames: 100 }
      const renditions = [{ name: 'v240', width: 426, height: 240 }]
      const board = layStoryboard({ renditions, iframes: 'v240', video } as unknown as Plan)!
      const segments = segmentCount(video)
      expect(board.sprites.length).toBeLessThanOrEqual(20)
      expect(board.sprites.flat()).toEqual(
        Array.from({ length: Math.ceil(segments / board.step) }, (_, n) => n * board.step),
      )
      for (const tiles of board.sprites.slice(0, -1)) expect(tiles).toHaveLength(board.columns * board.rows)
      if (segments <= 2000) expect(board.step).toBe(1)
      expect([board.tileWidth, board.tileHeight]).toEqual([160, 90])
    }),
  )
})

test('the command line', async () => {
  const video = { colours: { matrix: 'bt709' }, frames: 400, openingFrames: 50, segmentFrames: 100 }
  const renditions = [{ name: 'v240', width: 426, height: 240 }]
  const plan = { renditions, iframes: 'v240', video } as unknown as Plan
  const ask = {
    url: 'http://127.0.0.1:1/x',
    container: sniffContainer(Buffer.from('\0\0\0\x20ftypisom')),
    board: layStoryboard(plan)!,
    tiles: 5,
  }
  await expect(spriteArgv(plan, ask).join('\n')).toMatchFileSnapshot('golden/sprite.txt')
})
