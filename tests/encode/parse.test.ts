// What is read of hostile files: whatever the bytes or the words, the answer is bounded, a Problem, or nothing.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../shared/core/problem.ts'
import { readBoxHeader, walkBoxes } from '../../shared/encode/boxes.ts'
import { claimedSeconds } from '../../shared/encode/length.ts'
import { measurePackets } from '../../shared/encode/measure.ts'
import { parseProbe } from '../../shared/encode/probe.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'
import { createRemarks, withoutAddress } from '../../shared/encode/words.ts'

const box = (type: string, body: number): Buffer => {
  const out = Buffer.alloc(8 + body)
  out.writeUInt32BE(out.length)
  out.write(type, 4, 'latin1')
  return out
}
const walk = (bytes: Uint8Array, sizeBytes = bytes.length) =>
  walkBoxes(sizeBytes, async (offset, count) => bytes.subarray(offset, offset + count))

describe('boxes', () => {
  const whole = Buffer.concat([box('ftyp', 8), box('moov', 100), box('mdat', 1000)])
  test('that fill the file are all there', async () => {
    expect((await walk(whole)).map(({ type }) => type)).toEqual(['ftyp', 'moov', 'mdat'])
    const large = Buffer.alloc(16 + 10)
    large.writeUInt32BE(1)
    large.write('mdat', 4, 'latin1')
    large.writeBigUInt64BE(26n, 8)
    expect((await walk(Buffer.concat([box('moov', 4), large]))).at(-1)).toEqual({
      type: 'mdat',
      offset: 12,
      sizeBytes: 26,
    })
    expect(await walk(Buffer.concat([whole, Buffer.alloc(5)]))).toHaveLength(3)
  })

  test('cut anywhere behind the index they are truncated, at once', async () => {
    for (const keep of [200, 500, whole.length - 1])
      await expect(walk(whole.subarray(0, keep))).rejects.toMatchObject({ code: 'source-truncated' })
    await expect(walk(Buffer.concat([box('ftyp', 8), box('mdat', 10)]))).rejects.toMatchObject({
      code: 'source-truncated',
    })
    await expect(walk(box('ftyp', 8))).rejects.toMatchObject({ code: 'source-unreadable' })
  })

  test('of a picture are no film; those of one segment lack their index', async () => {
    const picture = Buffer.concat([box('ftyp', 8), box('meta', 50), box('mdat', 10)])
    await expect(walk(picture)).rejects.toMatchObject({ code: 'source-not-media' })
    const segment = Buffer.concat([box('styp', 8), box('moof', 50), box('mdat', 10)])
    await expect(walk(segment)).rejects.toMatchObject({ code: 'source-unreadable' })
  })

  test('of any bytes end in boxes that lie within the file, or in a Problem', async () => {
    const types = fc.constantFrom('moov', 'mdat', 'free', '\0\0\0\0', 'moof')
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(types, fc.nat(60)).map(([type, body]) => box(type, body)),
      fc
        .tuple(types, fc.nat(2 ** 31))
        .map(([type, size]) =>
          Buffer.concat([box(type, 0).fill(size & 255, 0, 4), Buffer.alloc(8, size & 255)]),
        ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const bytes = Buffer.concat(pieces)
        try {
          for (const { offset, sizeBytes } of await walk(bytes))
            expect(offset + sizeBytes).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(Problem)
        }
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => void readBoxHeader(bytes)))
  })
})

describe('ffprobe’s words', () => {
  const odd = fc.oneof(
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.constant(null),
    fc.constantFrom(
      '9'.repeat(400),
      '-1',
      'NaN',
      'N/A',
      '1/0',
      '0/0',
      '4:3',
      '30000/1001',
      'video',
      'audio',
      'h264',
    ),
  )
  const names = [
    'index',
    'codec_type',
    'codec_name',
    'width',
    'height',
    'sample_aspect_ratio',
    'r_frame_rate',
    'avg_frame_rate',
    'start_time',
    'duration',
    'channels',
    'sample_rate',
    'tags',
    'side_data_list',
    'disposition',
    'field_order',
  ]
  const streams = fc.array(
    fc.dictionary(
      fc.constantFrom(...names),
      fc.oneof(
        odd,
        fc.array(fc.dictionary(fc.string(), odd)),
        fc.dictionary(fc.constantFrom('rotate', 'DURATION', 'default'), odd),
      ),
    ),
    { maxLength: 4 },
  )
  test('of any kind make a bounded probe', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          streams.map((list) =>
            JSON.stringify({
              streams: list.map((s, index) => ({ index, codec_type: 'video', ...s })),
              format: { duration: '1e999' },
            }),
          ),
        ),
        (json) => {
          const { video, audio, durationSeconds } = parseProbe(json)
          for (const value of [
            video?.width,
            video?.height,
            video?.startSeconds,
            video?.durationSeconds,
            audio?.channels,
            durationSeconds,
          ])
            expect(value === undefined || (Number.isFinite(value) && Math.abs(value) <= 1e9)).toBe(true)
        },
      ),
    )
    expect(parseProbe('no json').video).toBeUndefined()
  })

  test('choose the default stream, leave cover pictures, and tell sound that is broken', () => {
    const video = (index: number, more: object) => ({
      index,
      codec_type: 'video',
      codec_name: 'h264',
      width: 100,
      height: 100,
      ...more,
    })
    const probe = parseProbe(
      JSON.stringify({
        streams: [
          video(0, { width: 3000, disposition: { attached_pic: 1 } }),
          video(1, { width: 500 }),
          video(2, { disposition: { default: 1 }, tags: { DURATION: '00:01:05.500000000' } }),
          { index: 3, codec_type: 'audio', codec_name: 'unknown', channels: 0 },
        ],
      }),
    )
    expect(probe.video).toMatchObject({ index: 2, durationSeconds: 65.5 })
    expect([probe.audio, probe.brokenAudio]).toEqual([undefined, true])
  })

  test('are believed on length only where they can be', () => {
    const claim = (duration: string | undefined, boxes: string[] = [], start = '0') => {
      const probe = parseProbe(
        JSON.stringify({
          format: { duration: '50' },
          streams: [
            {
              index: 0,
              codec_type: 'video',
              codec_name: 'h264',
              start_time: start,
              ...(duration ? { duration } : {}),
            },
          ],
        }),
      )
      return claimedSeconds(
        {
          probe: { ...probe, video: probe.video! },
          boxes: boxes.map((type) => ({ type, offset: 0, sizeBytes: 8 })),
        },
        106_093,
      )
    }
    expect(claim('10')).toBe(10)
    expect(claim(undefined)).toBe(50)
    expect(claim(undefined, [], '3')).toBeUndefined()
    expect(claim('143165')).toBeUndefined()
    expect(claim('10', ['moof'])).toBeUndefined()
  })
})

test('packets are measured to their latest end, in pieces of any size', () => {
  const words =
    '0,0.0,0.0,0.04\n0,N/A,N/A,0.04\n1,7.5,7.5,0.02\n0,2.5,0.04,0.04\n0,1.0,0.08,N/A\n0,2.4,N/A,-5\n0,2.4,0.1,1000000\n'
  for (const size of [1, 7, 1000]) {
    const measure = measurePackets()
    for (let at = 0; at < words.length; at += size) measure.push(Buffer.from(words.slice(at, at + size)))
    expect(measure.endSeconds(0)).toBeCloseTo(2.54, 6)
    expect(measure.endSeconds(1)).toBeCloseTo(7.52, 6)
    expect(measure.endSeconds(2)).toBeUndefined()
    expect(measure.restartSeconds(0)).toBeUndefined()
  }
})

test('a clock that begins again is told from one that goes back a little, and from another stream’s', () => {
  const measure = measurePackets()
  measure.push(
    Buffer.from('0,9.0,8.0,1\n1,3.0,3.0,1\n0,7.5,6.0,1\n0,16.0,12.0,1\n0,1.0,0.0,1\n0,2.0,N/A,1\n'),
  )
  expect(measure.restartSeconds(0)).toBe(12)
  expect(measure.restartSeconds(1)).toBeUndefined()
})

test('kinds of files are told by their bytes', () => {
  const code = (head: Uint8Array) => {
    try {
      return sniffContainer(head).demuxers
    } catch (error) {
      return (error as Problem).code
    }
  }
  expect(code(Buffer.from('\0\0\0\x18ftypmp42', 'latin1'))).toContain('mov')
  expect(code(Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 1, 2, 3]))).toContain('matroska')
  expect(code(Buffer.from([0x47, 0x40, 0, 0, 0, 0, 0]))).toContain('mpegts')
  expect(code(Buffer.from('\n  #EXTM3U'))).toBe('source-not-allowed')
  expect(code(Buffer.from('\ufeff#EXTM3U'))).toBe('source-not-allowed')
  expect(code(Buffer.from('Ähnlich'))).toBe('source-not-media')
  expect(code(new Uint8Array())).toBe('source-not-media')
  for (const name of ['hls', 'dash', 'concat', 'image2', 'sdp', 'rtsp', 'lavfi', 'tty', 'subviewer'])
    for (const head of [
      Buffer.from('\0\0\0\x18ftyp', 'latin1'),
      Buffer.from([0x1a, 0x45, 0xdf, 0xa3]),
      Buffer.alloc(9),
    ])
      expect(sniffContainer(head).demuxers.split(',')).not.toContain(name)
})

test('remarks: the first frame that came, and what was damaged', () => {
  const remarks = createRemarks()
  for (const line of [
    '240.000000',
    '241.000000',
    'http://127.0.0.1:9/ab: corrupt decoded frame in stream 0',
    'Error while decoding stream #0:0: x',
    'other',
  ])
    remarks.take(line)
  expect([remarks.firstFrame(), remarks.anewAt(), remarks.damaged()]).toEqual([240, 241, 2])
  const prefixed = createRemarks()
  prefixed.take('[Eval @ 0x7ffc] -1.000000')
  expect([prefixed.firstFrame(), prefixed.anewAt()]).toEqual([-1, undefined])
  const none = createRemarks()
  none.take('-9223372036854775808.000000')
  expect(none.firstFrame()).toBeUndefined()
  expect(withoutAddress('http://127.0.0.1:9/ab: bad')).toBe('source bad')
})
