// Hostile and broken sources: each ends the title with its own code, and nothing of it stays or is fetched from elsewhere.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inputArgv } from '../../shared/encode/argv.ts'
import { createEncode } from '../../shared/encode/index.ts'
import { sniffContainer } from '../../shared/encode/sniff.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, greyFrames, lavfi, plainH264 } from './film.ts'
import { setStage, target } from './stage.ts'

const run = promisify(execFile)

/** The orchestration's way, until something fails; then cleaned. */
async function encodeUntilFailure(film: Uint8Array, limits = {}) {
  const stage = setStage(film)
  const encode = createEncode({ ...stage.parts, limits: { ...stage.parts.limits, ...limits } })
  let outcome: Outcome = (await encode.prepare(target)) as Outcome<Prepared>
  if (outcome.ok) {
    const { plan, chunks, hasAudio } = outcome as unknown as Prepared
    const planned = { ...target, plan }
    const steps = [
      ...Array.from({ length: chunks }, (_, chunk) => () => encode.chunk({ ...planned, chunk })),
      ...(hasAudio ? [() => encode.audio(planned)] : []),
      () => encode.finish(planned),
    ]
    for (const step of steps) if (outcome.ok) outcome = await step()
  }
  const asset = stage.asset()
  const failedAtOnce = asset?.state
  if (!outcome.ok) await encode.fail({ ...target, code: outcome.code, detail: outcome.detail })
  return { stage, outcome, asset, failedAtOnce }
}

const film = draw([
  ...lavfi(greyFrames('25', 13, '160x90'), beeps(13)),
  ...plainH264,
  '-movflags',
  '+faststart',
])
const late = draw([...lavfi(greyFrames('25', 13, '160x90'), beeps(13)), ...plainH264])
const matroska = draw([...lavfi(greyFrames('25', 13, '160x90'), beeps(13)), ...plainH264], 'film.mkv')
const text = (words: string): Buffer => Buffer.from(words)

/** Overwrites a stretch in the middle of the media with noise. */
function scratched(bytes: Buffer, from: number, to: number): Buffer {
  const out = Buffer.from(bytes)
  for (let at = Math.floor(bytes.length * from); at < bytes.length * to; at++)
    out[at] = (at * 2654435761) >>> 13
  return out
}

const cases: Array<[string, () => Uint8Array, string]> = [
  ['a text file named .mp4', () => text('Dear diary,\nthis is no film.\n'.repeat(50)), 'source-not-media'],
  [
    'noise',
    () => Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * 2654435761) >>> 11)),
    'source-not-media',
  ],
  [
    'an HLS playlist',
    () => text('#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1/a.ts\n'),
    'source-not-allowed',
  ],
  ['a concat list', () => text("ffconcat version 1.0\nfile '/etc/passwd'\n"), 'source-not-allowed'],
  ['a concat list without a head', () => text("file '/etc/passwd'\n"), 'source-not-allowed'],
  ['a DASH manifest', () => text('<?xml version="1.0"?>\n<MPD></MPD>'), 'source-not-allowed'],
  ['a session description', () => text('v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n'), 'source-not-allowed'],
  ['a JPEG', () => draw([...lavfi('testsrc=s=64x64:d=1'), '-frames:v', '1'], 'x.jpg'), 'source-not-media'],
  ['sound alone', () => draw([...lavfi(beeps(2)), '-c:a', 'aac'], 'sound.mp4'), 'source-without-video'],
  ['an MP4 cut off in the middle', () => film.subarray(0, film.length / 2), 'source-truncated'],
  ['an MP4 cut off before its index', () => late.subarray(0, late.length / 2), 'source-truncated'],
  [
    'a Matroska file cut off in the middle',
    () => matroska.subarray(0, matroska.length / 2),
    'source-truncated',
  ],
  ['an MP4 with a broken index', () => scratched(film, 0.002, 0.01), 'source-unreadable'],
  ['an MP4 with noise in its pictures', () => scratched(film, 0.3, 0.7), 'source-unreadable'],
  [
    'a picture of 8 lines',
    () => draw([...lavfi(greyFrames('25', 1, '64x8')), ...plainH264]),
    'source-unreadable',
  ],
]

describe('each broken source has its own code', () => {
  test('while the whole film passes', async () => {
    for (const whole of [film, late, matroska]) {
      const { outcome, asset } = await encodeUntilFailure(whole)
      expect(outcome).toEqual({ ok: true })
      expect(asset?.state).toBe('ready')
    }
  })

  test.each(cases)('%s', async (_name, make, code) => {
    const { stage, outcome, asset, failedAtOnce } = await encodeUntilFailure(make())
    expect(outcome).toMatchObject({ ok: false, code })
    expect(failedAtOnce).toBe('failed')
    expect(asset?.error?.code).toBe(code)
    expect(asset?.error?.detail).toMatch(/^[A-Z].*\.$/)
    expect(asset?.error?.detail).not.toMatch(/127\.0\.0\.1|ffmpeg/)
    expect([...stage.media.keys(), ...stage.units.keys(), ...stage.files.keys()]).toEqual([])
    expect(stage.asset()?.cleanedAt).toBeDefined()
  })

  test('limits of length and size', async () => {
    expect((await encodeUntilFailure(film, { maxSeconds: 12 })).outcome).toMatchObject({
      code: 'source-too-long',
    })
    expect((await encodeUntilFailure(film, { maxPixels: 160 * 90 - 1 })).outcome).toMatchObject({
      code: 'source-too-many-pixels',
    })
    const ended = await encodeUntilFailure(film, { maxSeconds: 13.1, maxPixels: 160 * 90 })
    expect(ended.outcome).toEqual({ ok: true })
  })
})

describe('ffmpeg opens nothing but its source', () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const body = request.url?.startsWith('/secret') ? film : lists[request.url ?? '']
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/octet-stream' }).end(body)
  })
  const lists: Record<string, Buffer> = {}
  let origin = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    lists['/list.m3u8'] = text(
      `#EXTM3U\n#EXT-X-TARGETDURATION:13\n#EXTINF:13,\n${origin}/secret.mp4\n#EXT-X-ENDLIST\n`,
    )
    lists['/list.ffconcat'] = text(`ffconcat version 1.0\nfile ${origin}/secret.mp4\n`)
  })
  afterAll(() => void server.close())

  const fetched = async (argv: readonly string[]): Promise<boolean> => {
    asked.length = 0
    await run('ffmpeg', ['-v', 'error', '-nostdin', ...argv, '-t', '0.1', '-f', 'null', '-'], {
      timeout: 120_000,
    }).catch(() => {})
    return asked.some((path) => path.startsWith('/secret'))
  }

  test('a list would make it fetch; with our options it does not', async () => {
    for (const list of ['/list.m3u8', '/list.ffconcat']) {
      const careless = list.includes('concat') ? ['-f', 'concat', '-safe', '0'] : []
      expect(
        await fetched([...careless, '-protocol_whitelist', 'http,tcp,file', '-i', `${origin}${list}`]),
      ).toBe(true)
      for (const head of [film.subarray(0, 100), Buffer.from([0x1a, 0x45, 0xdf, 0xa3]), Buffer.alloc(100, 0)])
        expect(await fetched([...careless, ...inputArgv(sniffContainer(head), `${origin}${list}`)])).toBe(
          false,
        )
    }
  })

  test('no protocol but loopback is open to it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'movidone-film-'))
    writeFileSync(join(folder, 'f.mp4'), film)
    const open = (argv: readonly string[]) =>
      run('ffmpeg', ['-v', 'error', '-nostdin', ...argv, '-t', '0.1', '-f', 'null', '-']).then(
        () => true,
        () => false,
      )
    try {
      const path = join(folder, 'f.mp4')
      expect(await open(['-i', `file:${path}`])).toBe(true)
      expect(await open(inputArgv(sniffContainer(film), `file:${path}`))).toBe(false)
      expect(await open(inputArgv(sniffContainer(film), `${origin}/secret.mp4`))).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
