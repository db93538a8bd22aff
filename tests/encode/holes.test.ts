// What the sound leaves unread of a source: the pictures as ffprobe finds them, zeros in their place, and the same sound.
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { walkBoxes } from '../../shared/encode/boxes.ts'
import { chooseHoles, pictureRuns } from '../../shared/encode/holes.ts'
import { createEncode } from '../../shared/encode/index.ts'
import { matroskaLayout } from '../../shared/encode/matroska.ts'
import type { Hole, Layout } from '../../shared/encode/ports.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { createSparse } from '../../shared/media/sparse.ts'
import { beeps, draw, inFile, lavfi } from './film.ts'
import { ffmpegOf, setStage, target } from './stage.ts'

/** Thirteen megabits a second that cost neither coder time: what the rate is not used up by is filler (ITU-T H.264 7.3.2.7). */
const stuffed = (seconds: number): string[] => [
  ...lavfi(`color=gray:s=256x144:r=30:d=${seconds}`, beeps(seconds)),
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '13M', '-maxrate', '13M', '-bufsize', '13M'],
  ...['-x264-params', 'nal-hrd=cbr', '-g', '60', '-bf', '2', '-c:a', 'aac'],
]

async function runsOf(film: Uint8Array, stream = 0): Promise<Hole[]> {
  const boxes = await walkBoxes(film.length, async (offset, count) => film.subarray(offset, offset + count))
  const moov = boxes.find(({ type }) => type === 'moov')!
  return pictureRuns(film.subarray(moov.offset, moov.offset + moov.sizeBytes), stream)
}

/** Where ffprobe finds the packets of a kind. */
const packets = (film: Uint8Array, kind: 'v' | 'a'): Hole[] =>
  inFile(film, (path) => {
    const argv = [
      '-v',
      'error',
      '-select_streams',
      kind,
      '-show_entries',
      'packet=pos,size',
      '-of',
      'json',
      path,
    ]
    const { packets: found } = JSON.parse(execFileSync('ffprobe', argv, { maxBuffer: 1 << 26 }).toString())
    return found.map(({ pos, size }: { pos: string; size: string }) => ({
      start: Number(pos),
      end: Number(pos) + Number(size),
    }))
  })
const bytesOf = (runs: readonly Hole[]): number => runs.reduce((sum, { start, end }) => sum + end - start, 0)

describe('the runs of pictures', () => {
  const films: Array<[string, string[], string]> = [
    ['the index behind', [], 'film.mp4'],
    ['the index in front', ['-movflags', '+faststart'], 'film.mp4'],
    ['QuickTime with plain samples', ['-c:a', 'pcm_s16le'], 'film.mov'],
  ]
  test.each(films)(
    'are all packets of the picture and nothing of the sound: %s',
    async (_name, more, name) => {
      const film = draw([...stuffed(4), ...more], name)
      const runs = await runsOf(film)
      const pictures = packets(film, 'v')
      expect(bytesOf(runs)).toBe(bytesOf(pictures))
      for (const { start, end } of pictures)
        expect(runs.some((run) => run.start <= start && end <= run.end)).toBe(true)
      for (const { start, end } of packets(film, 'a'))
        expect(runs.some((run) => run.start < end && start < run.end)).toBe(false)
      // The sound is not a picture.
      expect(await runsOf(film, 1)).toEqual([])
    },
  )

  test('of an index that is damaged are an error or none, never a wait', async () => {
    const film = draw(stuffed(2))
    const boxes = await walkBoxes(film.length, async (offset, count) => film.subarray(offset, offset + count))
    const { offset, sizeBytes } = boxes.find(({ type }) => type === 'moov')!
    const moov = film.subarray(offset, offset + sizeBytes)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sizeBytes - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        (hits) => {
          const damaged = Buffer.from(moov)
          for (const [at, value] of hits) damaged[at] = value
          try {
            for (const { start, end } of chooseHoles(pictureRuns(damaged, 0), film.length)) {
              expect(start).toBeLessThan(end)
              expect(end).toBeLessThanOrEqual(film.length)
            }
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** All holes of a Matroska file, and where what was told of it ends. */
async function walk(film: Uint8Array, stream = 0): Promise<{ holes: Hole[]; end: number }> {
  const read = async (offset: number, count: number) => film.subarray(offset, offset + count)
  const layout = await matroskaLayout(stream, film.length, read)
  const holes: Hole[] = []
  let end = layout?.start ?? 0
  for (let next = await layout?.next(end, read); next; next = await layout?.next(end, read)) {
    expect([next.start, next.end > end]).toEqual([end, true])
    for (const hole of await next.holes) {
      expect([hole.start >= (holes.at(-1)?.end ?? end), hole.end <= next.end]).toEqual([true, true])
      holes.push(hole)
    }
    end = next.end
  }
  return { holes, end }
}

describe('the blocks of pictures in Matroska', () => {
  const film = draw(stuffed(9), 'film.mkv')

  test('are walked to the end of the file; nothing of the sound is among them', async () => {
    const { holes, end } = await walk(film)
    expect(end).toBe(film.length)
    expect(bytesOf(holes)).toBeGreaterThan(film.length / 3)
    // ffprobe tells where a block begins, and how much is in it.
    for (const { start, end } of packets(film, 'a'))
      expect(holes.some((hole) => hole.start < end && start < hole.end)).toBe(false)
    const pictures = packets(film, 'v')
    for (const hole of holes)
      expect(pictures.some(({ start, end }) => start <= hole.start && hole.end <= end + 16)).toBe(true)
    expect(await walk(film, 1)).toEqual({ holes: [], end: 0 })
  })

  test('are not looked for beyond where a file is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(film.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        async (hits) => {
          const damaged = Buffer.from(film)
          for (const [at, value] of hits) damaged[at] = value
          const { end } = await walk(damaged)
          expect(end).toBeLessThanOrEqual(film.length)
        },
      ),
      { numRuns: 40 },
    )
  })
})

test('a source with holes gives what is there, zeros where it is not needed, and fetches nothing of that', async () => {
  const film = Buffer.from(Array.from({ length: 200_000 }, (_, n) => 1 + (n % 255)))
  const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 9000 })), {
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(gaps, async (list) => {
      let at = 600
      const holes = list.map(([gap, length]) => {
        const start = at + gap
        at = start + length
        return { start, end: at }
      })
      let fetched = 0
      // Told in stretches of one hole each.
      const begin = 500
      const layout: Layout = {
        start: begin,
        next: async (offset) => {
          const hole = holes.find(({ end }) => end > offset)
          return hole && { start: offset, end: hole.end, holes: Promise.resolve([hole]) }
        },
      }
      const sparse = createSparse(layout, async (offset, count) => {
        fetched += count
        return film.subarray(offset, offset + count)
      })
      expect(await sparse.part(begin - 1)).toBeUndefined()
      const parts: Uint8Array[] = []
      let from = begin
      for (let part = await sparse.part(from); part; part = await sparse.part(from)) {
        expect(part.length).toBeGreaterThan(0)
        parts.push(part)
        from += part.length
      }
      expect(from).toBe(Math.max(begin, at))
      const wanted = Buffer.from(film.subarray(begin, from))
      for (const { start, end } of holes) wanted.fill(0, start - begin, end - begin)
      expect(Buffer.concat(parts).equals(wanted)).toBe(true)
      expect(fetched).toBe(from - begin - bytesOf(holes))
      // Back to where it was, as a demuxer that seeks.
      const again = await sparse.part(begin)
      expect(Buffer.from(again ?? []).equals(wanted.subarray(0, again?.length))).toBe(true)
    }),
    { numRuns: 200 },
  )
})

/** Each unit in a process of its own, which has read nothing before: no more is shared on any number of machines. */
async function readByUnits(film: Uint8Array): Promise<{ chunks: number; audio: number; sound: Buffer[] }> {
  const stage = setStage(film)
  const counts = { chunks: 0, audio: 0 }
  const fresh = (kind: keyof typeof counts) => {
    const ffmpeg = ffmpegOf()
    const open: typeof ffmpeg.open = async (...source) => {
      const opened = await ffmpeg.open(...source)
      const close = async () => {
        counts[kind] += opened.fetchedBytes() / film.length
        await opened.close()
      }
      return { ...opened, close }
    }
    return createEncode({ ...stage.parts, ffmpeg: { ...ffmpeg, open } })
  }
  const prepared = (await createEncode(stage.parts).prepare(target)) as Outcome<Prepared>
  if (!prepared.ok) throw new Error(prepared.code)
  const planned = { ...target, plan: prepared.plan }
  for (let chunk = 0; chunk < prepared.chunks; chunk++)
    expect(await fresh('chunks').chunk({ ...planned, chunk })).toEqual({ ok: true })
  expect(await fresh('audio').audio(planned)).toEqual({ ok: true })
  const sound = [...stage.media]
    .filter(([name]) => name.includes('/audio/'))
    .map(([, bytes]) => Buffer.from(bytes))
  return { ...counts, sound }
}

test('chunks and sound together read no more than half as much again as the source has, wherever its index is', async () => {
  const behind = draw(stuffed(60))
  const front = inFile(behind, (path) => draw(['-i', path, '-c', 'copy', '-movflags', '+faststart']))
  const matroska = inFile(behind, (path) => draw(['-i', path, '-c', 'copy'], 'film.mkv'))
  const seen: Buffer[][] = []
  for (const film of [behind, front, matroska]) {
    const { chunks, audio, sound } = await readByUnits(film)
    console.log(
      `bytes read / source: chunks ${chunks.toFixed(2)}, sound ${audio.toFixed(2)} of ${film.length >> 20} MiB`,
    )
    expect(chunks + audio).toBeLessThanOrEqual(1.5)
    expect(audio).toBeLessThanOrEqual(0.45)
    seen.push(sound)
  }
  // And it is the sound of the whole file.
  expect(seen[1]).toEqual(seen[0])
  expect(await soundOfAll(behind)).toEqual(seen[0])
  expect(await soundOfAll(matroska)).toEqual(seen[2])
}, 240_000)

/** Made by reading all there is. */
async function soundOfAll(film: Uint8Array): Promise<Buffer[]> {
  const { parts, media } = setStage(film)
  const { ffmpeg } = parts
  const open: typeof ffmpeg.open = (source, store) => ffmpeg.open(source, store)
  const encode = createEncode({ ...parts, ffmpeg: { ...ffmpeg, open } })
  const prepared = (await encode.prepare(target)) as Outcome<Prepared>
  expect(await encode.audio({ ...target, plan: prepared.ok ? prepared.plan : '' })).toEqual({ ok: true })
  return [...media].filter(([name]) => name.includes('/audio/')).map(([, bytes]) => Buffer.from(bytes))
}
