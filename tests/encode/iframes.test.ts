// I-frames by themselves: each is the first picture of its segment, decodes alone, and stands where it is shown.
import { beforeAll, describe, expect, test } from 'vitest'
import { segmentStart } from '../../shared/encode/grid.ts'
import {
  draw,
  type Encoded,
  encodeFilm,
  greyFrames,
  greyOf,
  greysOf,
  inspect,
  lavfi,
  plainH264,
  videosOf,
} from './film.ts'

let made: Encoded
const read = (blob: string): Uint8Array => made.stage.media.get(blob) ?? new Uint8Array()
const iframes = () => made.timeline.renditions.find(({ kind }) => kind === 'iframes')!

beforeAll(async () => {
  made = await encodeFilm(draw([...lavfi(greyFrames('25', 15)), ...plainH264]), 2)
})

describe('the I-frames of a title', () => {
  test('are those of its smallest rendition, one for each segment, as long as it is', () => {
    const smallest = videosOf(made.timeline).at(-1)!
    const { width, height, codecs, init, segments } = iframes()
    expect({ width, height, codecs, init }).toEqual({
      width: smallest.width,
      height: smallest.height,
      codecs: smallest.codecs,
      init: smallest.init,
    })
    const seconds = (list: typeof segments) => list.map(({ durationSeconds }) => durationSeconds)
    expect(seconds(segments)).toEqual(seconds(smallest.segments))
    expect(segments.length).toBeGreaterThan(3)
    expect(iframes().keyId).not.toBe(smallest.keyId)
    expect(made.asset.renditions.map(({ name }) => name)).not.toContain('iframes')
  })

  test('decode alone, to the right picture', () => {
    const init = read(iframes().init.blob)
    for (const [number, { blob, sizeBytes }] of iframes().segments.entries()) {
      const bytes = read(blob)
      expect(bytes.length).toBe(sizeBytes)
      const greys = greysOf(Buffer.concat([init, bytes]))
      expect(greys).toHaveLength(1)
      expect(Math.abs((greys[0] ?? 0) - greyOf(segmentStart(made.plan.video, number)))).toBeLessThan(3)
    }
  })

  test('together are a film of keyframes, each at the start of its segment', () => {
    const { packets, warnings } = inspect(made.file(iframes()))
    expect(warnings).toBe('')
    expect(packets.every(({ key }) => key)).toBe(true)
    expect(packets.map(({ pts }) => pts)).toEqual(
      packets.map((_, n) => segmentStart(made.plan.video, n) * made.plan.video.frameTicks),
    )
    expect(packets).toHaveLength(iframes().segments.length)
  })
})
