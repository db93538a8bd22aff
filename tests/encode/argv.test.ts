// The command lines, whole: an option that changes, changes the bytes of every title, so it must be meant.
import { expect, test } from 'vitest'
import { chunkArgv, packetsArgv, probeArgv } from '../../shared/encode/argv.ts'
import { audioArgv, decodedArgv } from '../../shared/encode/argv-audio.ts'
import { posterArgv } from '../../shared/encode/argv-poster.ts'
import { chunkCount } from '../../shared/encode/grid.ts'
import { makePlan, Plan } from '../../shared/encode/plan.ts'
import { parseProbe } from '../../shared/encode/probe.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'

const mp4 = sniffContainer(Buffer.from('\0\0\0\x20ftypisom'))
const transport = sniffContainer(Buffer.from([0x47, 0x40, 0, 0]))
const url = 'http://127.0.0.1:1/nonce'

function planOf(video: object, container = mp4, audio: object = {}): Plan {
  const streams = [
    {
      index: 0,
      codec_type: 'video',
      codec_name: 'h264',
      width: 1920,
      height: 1080,
      r_frame_rate: '30000/1001',
      avg_frame_rate: '30000/1001',
      ...video,
    },
    { index: 1, codec_type: 'audio', codec_name: 'aac', channels: 2, sample_rate: '48000', ...audio },
  ]
  const probe = parseProbe(JSON.stringify({ streams }))
  const draft = makePlan({
    probe: { ...probe, video: probe.video! },
    container,
    source: { blob: 'b', etag: 'e', sizeBytes: 1 },
    durationSeconds: 60,
    build: '5.1.9 0123456789ab',
    filters: new Set(['zscale', 'tonemap']),
    threads: 2,
    chunkSegments: 4,
  })
  return Plan.parse({ ...draft, hash: 'h' })
}

/** An option and its value to a line. */
const lines = (argv: readonly string[]): string =>
  `${argv
    .join(' ')
    .replace(/ (?=-[a-z])/g, '\n')
    .replace(/(?<=[;\]],?)(?=\[s\d\]scale)/g, '\n  ')}\n`

const film = planOf({})
const interlacedHdr = planOf(
  { field_order: 'tt', color_transfer: 'arib-std-b67', start_time: '1.4' },
  transport,
)

test.each([
  ['chunk-first', chunkArgv(film, 0, { url, rewind: 'near' })],
  ['chunk-middle', chunkArgv(film, 2, { url, rewind: 'near' })],
  ['chunk-last', chunkArgv(film, chunkCount(film.video) - 1, { url, rewind: 'start' })],
  ['chunk-interlaced-hdr-transport-stream', chunkArgv(interlacedHdr, 2, { url, rewind: 'near' })],
  ['chunk-held', chunkArgv(planOf({}, mp4, { duration: '90' }), 7, { url, rewind: 'near' })],
  ['audio', audioArgv(film)],
  ['audio-decoded', decodedArgv(film, url)],
  ['poster', posterArgv(film, { url, atSeconds: 6 })],
  ['probe', probeArgv(mp4, url)],
  ['packets', packetsArgv(transport, url)],
])('%s', async (name, argv) => {
  await expect(lines(argv)).toMatchFileSnapshot(`golden/${name}.txt`)
})

test('every input is held to loopback and to its own kind of file', () => {
  for (const argv of [
    chunkArgv(film, 0, { url, rewind: 'near' }),
    decodedArgv(film, url),
    posterArgv(film, { url, atSeconds: 0 }),
    probeArgv(mp4, url),
    packetsArgv(mp4, url),
  ]) {
    const input = argv.indexOf('-i')
    expect(argv.lastIndexOf('-i')).toBe(input)
    const before = argv.slice(0, input).join(' ')
    expect(before).toContain(
      '-protocol_whitelist http,tcp -format_whitelist mov,mp4,m4a,3gp,3g2,mj2 -enable_drefs 0 -use_absolute_path 0',
    )
  }
})
