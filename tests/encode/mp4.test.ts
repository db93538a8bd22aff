// Fragments and frames of sound: what is written reads back the same, and broken boxes are errors, never wild reads.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { audioInit, createFrameCutter } from '../../shared/encode/aac.ts'
import { box } from '../../shared/encode/box-writer.ts'
import { writeFragment } from '../../shared/encode/fragment.ts'
import { avcCodecs, boxesIn, readFragmented, withEditList } from '../../shared/encode/mp4.ts'
import { draw, greyFrames, inspect, lavfi } from './film.ts'

const sample = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  compositionOffset: fc.integer({ min: 0, max: 5000 }),
})

describe('a fragment', () => {
  test('reads back as it was written', () => {
    const fragment = fc.record({
      sequence: fc.integer({ min: 1, max: 100_000 }),
      decodeTime: fc.integer({ min: 0, max: 2 ** 48 }),
      sampleTicks: fc.integer({ min: 1, max: 100_000 }),
      samples: fc.array(sample, { minLength: 1, maxLength: 20 }),
    })
    fc.assert(
      fc.property(fragment, fc.constantFrom('video', 'audio'), (facts, kind) => {
        const bytes = writeFragment({ ...facts, kind })
        const read = readFragmented(bytes).fragments[0]
        expect(read?.startsWithSync).toBe(true)
        expect(read?.samples.map(({ data }) => [...data])).toEqual(facts.samples.map(({ data }) => [...data]))
        const offsets = facts.samples.map(({ compositionOffset }) =>
          kind === 'video' ? compositionOffset : 0,
        )
        expect(read?.samples.map(({ compositionOffset }) => compositionOffset)).toEqual(offsets)
        expect([...boxesIn(bytes)].map(({ type }) => type)).toEqual(['moof', 'mdat'])
      }),
    )
  })

  test('of broken bytes is an error', () => {
    const whole = writeFragment({
      sequence: 1,
      decodeTime: 0,
      sampleTicks: 1,
      kind: 'video',
      samples: [{ data: new Uint8Array(50), compositionOffset: 0 }],
    })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(whole)
        bytes[at] = value
        try {
          for (const { samples } of readFragmented(bytes).fragments)
            for (const { data } of samples) expect(data.length).toBeLessThanOrEqual(whole.length)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 1000 },
    )
    expect(() => [...boxesIn(box('moof', Buffer.alloc(10)).subarray(0, 12))]).toThrow('no box fits')
  })
})

test('an init segment of ffmpeg gets an edit list and keeps the rest', () => {
  const film = draw([
    ...lavfi(greyFrames('25', 1)),
    '-c:v',
    'libx264',
    '-movflags',
    '+frag_keyframe+empty_moov+default_base_moof',
  ])
  const { init } = readFragmented(film)
  const edited = withEditList(init, 1024)
  expect(edited.length).toBe(init.length + 36 - (Buffer.from(init).includes('edts') ? 36 : 0))
  expect(avcCodecs(edited)).toBe(avcCodecs(init))
  expect(withEditList(edited, 1024)).toEqual(edited)
  expect(edited.indexOf('edts')).toBeGreaterThan(edited.indexOf('tkhd'))
  expect(edited.indexOf('edts')).toBeLessThan(edited.indexOf('mdia'))
})

describe('sound', () => {
  test('is cut into frames, however its bytes arrive', () => {
    const adts = draw(
      [...lavfi('sine=1000:d=2:r=48000'), '-ac', '2', '-c:a', 'aac', '-b:a', '128k'],
      'sound.aac',
    )
    const whole = createFrameCutter().push(adts)
    expect(whole.length).toBeGreaterThanOrEqual(94)
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 900 })), (steps) => {
        const cutter = createFrameCutter()
        const frames: Uint8Array[] = []
        for (let at = 0; at < adts.length; ) {
          const end = at + (steps.next().value as number)
          frames.push(...cutter.push(adts.subarray(at, end)))
          at = end
        }
        expect(frames).toEqual(whole)
      }),
      { numRuns: 20 },
    )
    expect(() => createFrameCutter().push(Buffer.alloc(20, 1))).toThrow('sync word')
  })

  test.each([1, 2] as const)(
    'of %i channels plays from our own init segment, without a word of complaint',
    (channels) => {
      const adts = draw(
        [...lavfi('sine=1000:d=1:r=48000'), '-ac', String(channels), '-c:a', 'aac'],
        'sound.aac',
      )
      const samples = createFrameCutter()
        .push(adts)
        .map((data) => ({ data, compositionOffset: 0 }))
      const fragment = writeFragment({
        sequence: 1,
        decodeTime: 0,
        sampleTicks: 1024,
        kind: 'audio',
        samples,
      })
      const { packets, warnings, stream } = inspect(Buffer.concat([audioInit(channels, 128_000), fragment]))
      expect(warnings).toBe('')
      expect(stream).toMatchObject({ codec_name: 'aac', profile: 'LC', sample_rate: '48000', channels })
      expect(packets.map(({ pts }) => pts)).toEqual(samples.map((_, n) => n * 1024))
    },
  )
})
