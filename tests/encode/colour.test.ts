// Colours: what leaves is what came in, whatever matrix, range or depth it came with, and it says which it is.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { draw, encodeFilm, inspect, lavfi, videosOf } from './film.ts'

/** Red, green and blue of the middle, as a player that heeds the file's own words shows them. */
function middleOf(film: Uint8Array, matrix: string): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'movidone-look-'))
  try {
    writeFileSync(join(folder, 'f'), film)
    const show = `scale=iw:ih:in_color_matrix=${matrix}:flags=accurate_rnd+full_chroma_int,format=rgb24,crop=16:16,scale=1:1:flags=area`
    const argv = [
      '-v',
      'error',
      '-i',
      join(folder, 'f'),
      '-frames:v',
      '1',
      '-vf',
      show,
      '-f',
      'rawvideo',
      '-',
    ]
    return [...execFileSync('ffmpeg', argv)]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const orange = 'color=0xe07020:s=320x180:r=25:d=1'
const wide = 'color=0xe07020:s=1280x720:r=5:d=1'
const exact = ['-c:v', 'libx264', '-qp', '4', '-preset', 'ultrafast']
const marked = (space: string) => ['-colorspace', space]

const sources: Array<[string, readonly string[], string, string?]> = [
  [
    'Rec. 601',
    [...lavfi(`${orange},scale=out_color_matrix=smpte170m,format=yuv420p`), ...exact, ...marked('smpte170m')],
    'smpte170m',
  ],
  [
    'Rec. 601 of 625 lines',
    [...lavfi(`${orange},scale=out_color_matrix=bt470,format=yuv420p`), ...exact, ...marked('bt470bg')],
    'bt470bg',
  ],
  [
    'Rec. 709',
    [...lavfi(`${orange},scale=out_color_matrix=bt709,format=yuv420p`), ...exact, ...marked('bt709')],
    'bt709',
  ],
  [
    'unmarked and small',
    [...lavfi(`${orange},scale=out_color_matrix=smpte170m,format=yuv420p`), ...exact],
    'smpte170m',
  ],
  [
    'unmarked and large',
    [...lavfi(`${wide},scale=out_color_matrix=bt709,format=yuv420p`), ...exact],
    'bt709',
  ],
  [
    'full range',
    [
      ...lavfi(`${orange},format=rgb24,scale=out_color_matrix=bt709:out_range=pc,format=yuvj420p`),
      ...exact,
      ...marked('bt709'),
    ],
    'bt709',
  ],
  [
    'ten bits of Rec. 2020',
    [
      ...lavfi(`${orange},scale=out_color_matrix=bt2020,format=yuv420p10le`),
      '-c:v',
      'ffv1',
      ...marked('bt2020nc'),
    ],
    'bt709',
    'film.mkv',
  ],
  ['red, green and blue', [...lavfi(`${orange},format=gbrp`), '-c:v', 'ffv1'], 'bt709', 'film.mkv'],
]

test.each(sources)('%s', async (_name, argv, space, file = 'film.mp4') => {
  const made = await encodeFilm(draw(argv, file), 4)
  for (const rendition of videosOf(made.timeline)) {
    const film = made.file(rendition)
    expect(inspect(film).stream).toMatchObject({ color_space: space, color_range: 'tv', pix_fmt: 'yuv420p' })
    const [red = 0, green = 0, blue = 0] = middleOf(film, space === 'bt470bg' ? 'bt470' : space)
    expect(Math.max(Math.abs(red - 0xe0), Math.abs(green - 0x70), Math.abs(blue - 0x20))).toBeLessThan(6)
  }
})
