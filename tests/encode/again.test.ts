// What is done is not done again: of a title whose units are repeated, as after a kill, only what failed is made once more.
import { expect, test } from 'vitest'
import type { EncodeParts } from '../../shared/encode/deps.ts'
import { createEncode } from '../../shared/encode/index.ts'
import type { RunAsk, RunOutcome } from '../../shared/encode/ports.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, greyFrames, lavfi, plainH264 } from './film.ts'
import { setStage, target } from './stage.ts'

const film = draw([...lavfi(greyFrames('25', 19), beeps(19)), ...plainH264])

/** Another process on the same stores; `kill` says which runs end as if memory had run out. */
function processOn(parts: EncodeParts, kill: (ask: RunAsk) => boolean = () => false) {
  const runs: RunAsk[] = []
  const run = async (ask: RunAsk): Promise<RunOutcome> => {
    runs.push(ask)
    return kill(ask) ? { end: 'killed', messages: '', files: {} } : parts.ffmpeg.run(ask)
  }
  return { encode: createEncode({ ...parts, ffmpeg: { ...parts.ffmpeg, run } }), runs }
}

test('units that are done run nothing, the one that was killed runs once more, and the title is whole', async () => {
  const stage = setStage(film, { chunkSegments: 1 })
  const first = processOn(stage.parts)
  const prepared = (await first.encode.prepare(target)) as Outcome<Prepared>
  if (!prepared.ok) throw new Error(prepared.code)
  const { plan, chunks } = prepared
  expect(chunks).toBeGreaterThan(3)
  const planned = { ...target, plan }
  const numbers = Array.from({ length: chunks }, (_, n) => n)

  // Every unit is done but chunk 2, whose ffmpeg is killed: thrown, so that it is tried again, and nothing fails.
  const outOfMemory = processOn(stage.parts, ({ outputs }) => outputs !== undefined)
  await expect(outOfMemory.encode.chunk({ ...planned, chunk: 2 })).rejects.toThrow('killed')
  expect(outOfMemory.runs.length).toBeGreaterThan(0)
  expect(stage.asset()?.state).toBe('encoding')
  for (const chunk of numbers.filter((n) => n !== 2)) await first.encode.chunk({ ...planned, chunk })
  await first.encode.audio(planned)
  await first.encode.poster(planned)
  const before = new Map(stage.media)

  // The orchestration begins anew in another process, and repeats everything.
  const second = processOn(stage.parts)
  for (const chunk of numbers) expect(await second.encode.chunk({ ...planned, chunk })).toEqual({ ok: true })
  expect(await second.encode.audio(planned)).toEqual({ ok: true })
  const made = second.runs.filter(({ outputs }) => outputs)
  expect(made).toHaveLength(1)
  expect(second.runs.length - made.length).toBe(0)
  expect(await second.encode.finish(planned)).toEqual({ ok: true })
  expect(stage.asset()).toMatchObject({ state: 'ready' })
  for (const [name, bytes] of before)
    expect(Buffer.compare(stage.media.get(name) ?? Buffer.of(), bytes)).toBe(0)
})
