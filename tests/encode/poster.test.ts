// The poster: a picture of the film, upright, not larger than it must be, and not the black that films begin with.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { contrastOf } from '../../shared/encode/poster.ts'
import { draw, encodeFilm, greyFrames, lavfi, plainH264 } from './film.ts'

const look = (jpeg: Uint8Array) => {
  const argv = [
    '-v',
    'error',
    '-f',
    'mjpeg',
    '-i',
    '-',
    '-vf',
    'scale=32:32,format=gray',
    '-f',
    'rawvideo',
    '-',
  ]
  return contrastOf(execFileSync('ffmpeg', argv, { input: jpeg }))
}
/** Width and height of the frame header, SOF0 (ITU-T T.81 B.2.2). */
function sizeOf(jpeg: Buffer): string {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  return `${jpeg.readUInt16BE(at + 7)}x${jpeg.readUInt16BE(at + 5)}`
}
const posterOf = (made: Awaited<ReturnType<typeof encodeFilm>>) =>
  Buffer.from(made.stage.media.get(made.timeline.poster ?? '') ?? '')

test('skips the black', async () => {
  const black = 'color=black:s=320x180:r=25:d=3'
  const film = draw([
    ...lavfi(black, 'testsrc2=s=320x180:r=25:d=2'),
    '-filter_complex',
    '[0][1]concat=n=2',
    ...plainH264,
  ])
  const poster = posterOf(await encodeFilm(film, 4, { withPoster: true }))
  expect(look(draw([...lavfi(black), '-frames:v', '1'], 'black.jpg'))).toBeLessThan(2)
  expect(look(poster)).toBeGreaterThan(16)
})

test('is there even when all is black, and is at most 1280 across', async () => {
  const sizeOfPoster = async (graph: string) =>
    sizeOf(posterOf(await encodeFilm(draw([...lavfi(graph), ...plainH264]), 4, { withPoster: true })))
  // One picture is enough to be black.
  expect(await sizeOfPoster('color=black:s=1600x900:r=2:d=1')).toBe('1280x720')
  expect(await sizeOfPoster(greyFrames('5', 1, '320x180'))).toBe('320x180')
})

test('contrast is the deviation of the grey', () => {
  expect(contrastOf(new Uint8Array())).toBe(0)
  expect(contrastOf(new Uint8Array(100).fill(7))).toBe(0)
  expect(contrastOf(Uint8Array.from([0, 100]))).toBe(50)
})
