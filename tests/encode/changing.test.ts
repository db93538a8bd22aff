// Recordings whose picture and sound change on the way, as broadcasts do between a film and what interrupts it.
import { expect, test } from 'vitest'
import { createEncode } from '../../shared/encode/index.ts'
import { Plan } from '../../shared/encode/plan.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import {
  audioOf,
  beeps,
  draw,
  encodeFilm,
  greyFrames,
  greyH264,
  greyOf,
  greysOf,
  inFile,
  lavfi,
  onsetsOf,
  videosOf,
} from './film.ts'
import { setStage, target } from './stage.ts'

const rate = 25
const partSeconds = 3

/** A part of a transport stream: frames and beeps that go on from where the part before it ended. */
function part(
  n: number,
  { size, channels, hertz }: { size: string; channels: number; hertz: number },
): Buffer {
  const all = lavfi(
    `${greyFrames(String(rate), partSeconds * (n + 1), size)},trim=start=${n * partSeconds},setpts=PTS-STARTPTS`,
    beeps(partSeconds),
  )
  const sound = ['-c:a', 'ac3', '-ac', String(channels), '-ar', String(hertz)]
  const clock = ['-output_ts_offset', String(n * partSeconds)]
  return draw([...all, ...greyH264, ...sound, ...clock], 'film.ts')
}

const film = Buffer.concat([
  part(0, { size: '128x72', channels: 2, hertz: 48_000 }),
  part(1, { size: '160x120', channels: 6, hertz: 48_000 }),
  part(2, { size: '96x96', channels: 1, hertz: 44_100 }),
])

test('every frame and every beep stays, at its time', async () => {
  const made = await encodeFilm(film)
  const greys = greysOf(made.file(videosOf(made.timeline)[0]!))
  // A transport stream does not tell how long its last picture lasts.
  expect(Math.abs(greys.length - 3 * partSeconds * rate)).toBeLessThanOrEqual(1)
  const wrong = greys.flatMap((grey, n) => (Math.abs(grey - greyOf(n)) > 5 ? [n] : []))
  expect(wrong).toEqual([])
  const onsets = onsetsOf(made.file(audioOf(made.timeline)!))
  expect(onsets.map(Math.round)).toEqual(Array.from({ length: 3 * partSeconds }, (_, n) => n))
  // A frame of sound may reach over a joint.
  for (const onset of onsets) expect(Math.abs(onset - Math.round(onset))).toBeLessThan(0.05)
})

test('a film put together from files that each begin at zero is refused, instead of losing all but the first', async () => {
  const one = { size: '128x72', channels: 2, hertz: 48_000 }
  const soundOf = async (film: Buffer) => {
    const encode = createEncode(setStage(film).parts)
    const prepared = (await encode.prepare(target)) as Outcome<Prepared>
    return encode.audio({ ...target, plan: prepared.ok ? prepared.plan : '' })
  }
  expect(await soundOf(Buffer.concat([part(0, one), part(1, one)]))).toEqual({ ok: true })
  expect(await soundOf(Buffer.concat([part(0, one), part(0, one)]))).toEqual({
    ok: false,
    code: 'source-unreadable',
    detail: expect.stringContaining('Its clock begins again after 3 s'),
  })
})

test.each(['film.ts', 'film.mp4'])('so is one without sound: %s', async (name) => {
  const fragments = name.endsWith('mp4') ? ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'] : []
  const film = (seconds: number) =>
    draw([...lavfi(greyFrames(String(rate), seconds)), ...greyH264, ...fragments], name)
  const outcomeOf = async (film: Buffer) => {
    const encode = createEncode(setStage(film).parts)
    const prepared = (await encode.prepare(target)) as Outcome<Prepared>
    if (!prepared.ok) return prepared
    return prepared.verified ? encode.verify({ ...target, plan: prepared.plan }) : { ok: true }
  }
  expect(await outcomeOf(film(5))).toEqual({ ok: true })
  // Whichever is the longer one: a transport stream seems to last as long as its last part.
  for (const [first, second] of [
    [5, 3],
    [3, 5],
  ] as const)
    expect(await outcomeOf(Buffer.concat([film(first), film(second)]))).toEqual({
      ok: false,
      code: 'source-unreadable',
      detail: expect.stringContaining(`Its clock begins again after ${first} s`),
    })
})

test('a picture that is turned must keep its size, and is refused with the time at which it does not', async () => {
  const grey = (n: number, size: string) => {
    const [graph, clock] = [greyFrames(String(rate), 3 * (n + 1), size), ['-output_ts_offset', String(3 * n)]]
    return draw(
      [...lavfi(`${graph},trim=start=${3 * n},setpts=PTS-STARTPTS`), ...greyH264, ...clock],
      'film.ts',
    )
  }
  const turned = (...sizes: string[]) => {
    const film = inFile(Buffer.concat(sizes.map((size, n) => grey(n, size))), (path) =>
      draw(['-i', path, '-c', 'copy']),
    )
    // A quarter turn (ISO/IEC 14496-12 8.3.2).
    const matrix = film.indexOf('tkhd') + 44
    for (const [n, value] of [0, 65_536, 0, -65_536, 0].entries()) film.writeInt32BE(value, matrix + 4 * n)
    return film
  }
  const outcomeOf = async (film: Buffer) => {
    const stage = setStage(film)
    const encode = createEncode(stage.parts)
    const prepared = (await encode.prepare(target)) as Outcome<Prepared>
    const plan = prepared.ok ? prepared.plan : ''
    const [top] = Plan.parse(JSON.parse(String(stage.media.get(plan)))).renditions
    const outcome = await encode.chunk({ ...target, plan, chunk: 1 })
    return { outcome, isUpright: (top?.height ?? 0) > (top?.width ?? 0) }
  }
  expect(await outcomeOf(turned('128x72', '128x72'))).toEqual({ outcome: { ok: true }, isUpright: true })
  expect(await outcomeOf(turned('128x72', '160x120'))).toEqual({
    outcome: {
      ok: false,
      code: 'source-unreadable',
      detail: expect.stringContaining('is turned, and changes its size after 3 s'),
    },
    isUpright: true,
  })
})
