// Ranges and conditions as a server that the field has trusted for twenty years answers them, and where we mean to differ.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, createStage, type Stage } from './stage.ts'
import { makeTimeline } from './timelines.ts'

const nginx = '/usr/sbin/nginx'
const segment = makeTimeline().renditions[0]!.segments[1]!
const size = segment.sizeBytes
const folder = mkdtempSync(join(tmpdir(), 'movidone-nginx-'))

interface Answer {
  readonly status: number
  readonly contentRange: string | undefined
  readonly length: string | undefined
  readonly body: string
}

/** No port: one that is free now may be another's before nginx has it. */
const socketPath = join(folder, 'socket')

describe.skipIf(!existsSync(nginx))('beside nginx (skipped where /usr/sbin/nginx is not installed)', () => {
  let stage: Stage
  let server: ReturnType<typeof spawn>
  let etags: { ours: string; theirs: string }

  const askNginx = (method: string, headers: Record<string, string>) =>
    new Promise<Answer & { etag: string | undefined }>((resolve, reject) => {
      request({ socketPath, path: '/segment', method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            contentRange: response.headers['content-range'],
            length: response.headers['content-length'],
            body: Buffer.concat(chunks).toString('hex'),
            etag: response.headers.etag,
          }),
        )
      })
        .on('error', reject)
        .end()
    })

  async function askUs(method: string, headers: Record<string, string>): Promise<Answer> {
    const reply = await stage.ask('v720/1.0/1.m4s', headers, { method })
    const { 'content-range': contentRange, 'content-length': length } = reply.headers
    return { status: reply.status, contentRange, length, body: Buffer.from(reply.body ?? []).toString('hex') }
  }

  /** Problem bodies are ours, error pages are theirs; of a 304 or an error only status and range are compared. */
  const comparable = ({ status, contentRange, length, body }: Answer) =>
    status < 300 ? { status, contentRange, length, body } : { status, contentRange }

  const compare = async (method: string, make: (etag: string) => Record<string, string>) => {
    const [ours, theirs] = await Promise.all([
      askUs(method, make(etags.ours)),
      askNginx(method, make(etags.theirs)),
    ])
    return { ours: comparable(ours), theirs: comparable(theirs) }
  }

  beforeAll(async () => {
    stage = await createStage()
    // Where nginx starts as root, its worker is another user.
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'www'))
    writeFileSync(join(folder, 'www', 'segment'), bytesOf(segment.blob, 0, size))
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder};`,
    )
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
       http { access_log off; ${temp.join(' ')} server { listen unix:${socketPath}; root ${folder}/www; } }`,
    )
    execFileSync(nginx, ['-t', '-q', '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')])
    server = spawn(nginx, ['-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')], {
      stdio: 'ignore',
    })
    while (!(await askNginx('GET', {}).catch(() => undefined)))
      await new Promise((resolve) => setTimeout(resolve, 50))
    const { headers } = await stage.ask('v720/1.0/1.m4s')
    etags = { ours: headers['etag'] ?? '', theirs: (await askNginx('GET', {})).etag ?? '' }
  })

  afterAll(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  })

  test.each([
    undefined,
    'bytes=0-0',
    'bytes=0-9',
    'bytes=100-199',
    `bytes=${size - 1}-`,
    `bytes=0-${size - 1}`,
    `bytes=0-${size}`,
    `bytes=5-${'9'.repeat(17)}`,
    'bytes=0-',
    'bytes=-1',
    'bytes=-100',
    `bytes=-${size}`,
    `bytes=-${size + 1}`,
    `bytes=${size}-`,
    `bytes=${size}-${size + 1}`,
    'items=0-9',
    'BYTES=0-9',
    'bytes=10000-,0-4',
    '',
  ])('GET with Range %j is the same, to the byte', async (range) => {
    const { ours, theirs } = await compare('GET', () => (range === undefined ? {} : { range }))
    expect(ours).toEqual(theirs)
  })

  test.each<[string, (etag: string) => Record<string, string>]>([
    ['If-None-Match that matches', (etag) => ({ 'if-none-match': etag })],
    ['If-None-Match weakly', (etag) => ({ 'if-none-match': `W/${etag}` })],
    ['If-None-Match in a list', (etag) => ({ 'if-none-match': `"x", ${etag}` })],
    ['If-None-Match *', () => ({ 'if-none-match': '*' })],
    ['If-None-Match of another', () => ({ 'if-none-match': '"x"' })],
    ['If-None-Match with Range', (etag) => ({ 'if-none-match': etag, range: 'bytes=0-9' })],
    ['If-None-Match with a bad Range', (etag) => ({ 'if-none-match': etag, range: 'bytes=999999-' })],
    ['If-Match that matches', (etag) => ({ 'if-match': etag })],
    ['If-Match of another', () => ({ 'if-match': '"x"' })],
    ['If-Match *', () => ({ 'if-match': '*' })],
    ['If-Match before If-None-Match', (etag) => ({ 'if-match': '"x"', 'if-none-match': etag })],
    ['If-Range that matches', (etag) => ({ 'if-range': etag, range: 'bytes=0-9' })],
    ['If-Range of another', () => ({ 'if-range': '"x"', range: 'bytes=0-9' })],
    ['If-Range weakly', (etag) => ({ 'if-range': `W/${etag}`, range: 'bytes=0-9' })],
    ['If-Range of an old date', () => ({ 'if-range': 'Sat, 01 Jan 2000 00:00:00 GMT', range: 'bytes=0-9' })],
    ['If-Range without Range', (etag) => ({ 'if-range': etag })],
  ])('%s is the same, for GET and HEAD', async (_what, make) => {
    const get = await compare('GET', make)
    expect(get.ours).toEqual(get.theirs)
    const withoutRange = (etag: string) =>
      Object.fromEntries(Object.entries(make(etag)).filter(([name]) => name !== 'range'))
    const head = await compare('HEAD', withoutRange)
    expect(head.ours).toEqual(head.theirs)
  })

  // Where nginx 1.22 leaves the RFC, or takes another of the ways it allows.
  test.each<[string, string, number, number, string]>([
    ['a range that is not well formed is ignored (14.2)', 'bytes=a-b', 200, 416, 'GET'],
    ['so is one that ends before it begins (14.1.1)', 'bytes=5-4', 200, 416, 'GET'],
    [
      'and one with too many digits is a number like any other (14.1.2)',
      `bytes=0-${'9'.repeat(40)}`,
      206,
      416,
      'GET',
    ],
    ['Range means nothing to HEAD (14.2)', 'bytes=0-9', 200, 206, 'HEAD'],
    [
      'several ranges are one where they touch, else the whole; nginx writes multipart',
      'bytes=0-1,4-5',
      200,
      206,
      'GET',
    ],
  ])('%s', async (_what, range, ours, theirs, method) => {
    const both = await compare(method, () => ({ range }))
    expect([both.ours.status, both.theirs.status]).toEqual([ours, theirs])
  })
})
