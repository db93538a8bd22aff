// How programs are held: time, memory, files and words are bounded, a signal kills, nothing is left behind or let in.
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { RunAsk } from '../../shared/encode/ports.ts'
import { runProgram, workPrefix } from '../../shared/media/run.ts'
import { buildName, filterNames, findPrograms } from '../../shared/media/tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'movidone-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A program of the test's own in the place of ffmpeg. */
function script(name: string, body: string, mode = 0o755): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, mode)
  return path
}
const ask = (more: Partial<RunAsk> = {}): RunAsk => ({
  program: 'ffmpeg',
  argv: [],
  wallMs: 600_000,
  ...more,
})
const workFolders = () =>
  readdirSync(dirname(workPrefix)).filter((name) => name.startsWith(`${basename(workPrefix)}${process.pid}-`))

test('its own files come back, its folder goes', async () => {
  const path = script('writes', 'printf abc > out.bin; echo words >&2; printf "%s|" "$@"')
  const out: Uint8Array[] = []
  const outcome = await runProgram(
    path,
    ask({ argv: ['a b', '$HOME', '"'], outputs: ['out.bin'], onOutput: (b) => void out.push(b) }),
  )
  expect(outcome).toMatchObject({ end: 'done', messages: 'words\n' })
  expect(Buffer.from(outcome.files['out.bin'] ?? '').toString()).toBe('abc')
  expect(Buffer.concat(out).toString()).toBe('a b|$HOME|"|')
  expect(workFolders()).toEqual([])
})

test('it sees nothing of our environment', async () => {
  process.env['MOVIDONE_TEST_SECRET'] = 'hidden'
  const out: Uint8Array[] = []
  await runProgram(script('env', 'env'), ask({ onOutput: (bytes) => void out.push(bytes) }))
  const names = Buffer.concat(out)
    .toString()
    .split('\n')
    .map((line) => line.split('=')[0])
  expect(names).toContain('PATH')
  expect(names).not.toContain('MOVIDONE_TEST_SECRET')
  expect(
    names.filter(
      (name) => name && !['PATH', 'LC_ALL', 'GCONV_PATH', 'PWD', 'SHLVL', '_', 'OLDPWD'].includes(name),
    ),
  ).toEqual([])
})

test('time is bounded', async () => {
  expect((await runProgram(script('sleeps', 'exec sleep 600'), ask({ wallMs: 300 }))).end).toBe('too-slow')
  expect((await runProgram(script('naps', 'exec sleep 0.1'), ask())).end).toBe('done')
})

test('files are bounded', async () => {
  const path = script('fills', 'exec dd if=/dev/zero of=big bs=1024 count=$1 2>/dev/null')
  const write = (kib: number) =>
    runProgram(path, ask({ argv: [String(kib)], outputs: ['big'], fileBytes: 1 << 20 }))
  expect(await write(1000)).toMatchObject({ end: 'done' })
  expect((await write(2000)).end).not.toBe('done')
})

test('memory is bounded', async () => {
  const path = script('grows', 'exec "$1" -e "new Float64Array($2 * 2 ** 27).fill(1)"')
  const limit = await runProgram(
    script('says', 'ulimit -v'),
    ask({ onOutput: (bytes) => void said.push(bytes) }),
  )
  expect(limit.end).toBe('done')
  expect(Number(Buffer.concat(said))).toBe(8 << 20)
  expect((await runProgram(path, ask({ argv: [process.execPath, '64'] }))).end).not.toBe('done')
})
const said: Uint8Array[] = []

test('words are bounded, and every line is heard', async () => {
  let lines = 0
  const outcome = await runProgram(
    script(
      'talks',
      'i=0; while [ $i -lt 5000 ]; do echo "line number $i of many more" >&2; i=$((i+1)); done',
    ),
    ask({ onMessage: () => void lines++ }),
  )
  expect(lines).toBe(5000)
  expect(outcome.messages.length).toBeLessThan(20_000)
  expect(outcome.messages).toContain('line number 0 ')
  expect(outcome.messages).toContain('line number 4999 ')
})

test('a signal kills it, with its own reason', async () => {
  const abort = new AbortController()
  const running = runProgram(
    script('waits', 'echo started; exec sleep 30'),
    ask({ signal: abort.signal, onOutput: () => abort.abort(new Error('enough')) }),
  )
  await expect(running).rejects.toThrow('enough')
  await expect(runProgram(script('never', 'exit 0'), ask({ signal: abort.signal }))).rejects.toThrow('enough')
  expect(workFolders()).toEqual([])
})

test('a signal kills it at whatever moment it comes, before it has begun too', async () => {
  // One that it missed would sleep on, and be waited for.
  const path = script('sleeps', 'exec sleep 600')
  for (let moment = 0; moment < 12; moment++) {
    const abort = new AbortController()
    const running = runProgram(path, ask({ signal: abort.signal }))
    running.catch(() => {})
    for (let n = 0; n < moment; n++) await new Promise((resolve) => setImmediate(resolve))
    abort.abort(new Error('at once'))
    await expect(running).rejects.toThrow('at once')
  }
  expect(workFolders()).toEqual([])
})

test('who reads slowly is waited for', async () => {
  let held = 0
  let most = 0
  await runProgram(
    script('pours', 'head -c 3000000 /dev/zero'),
    ask({
      onOutput: async (bytes) => {
        held += bytes.length
        most = Math.max(most, held)
        await new Promise((resolve) => setTimeout(resolve, 5))
        held -= bytes.length
      },
    }),
  )
  expect(most).toBeLessThan(200_000)
})

test('what one writes, the other reads; it is done when both are, or when it has enough', async () => {
  const path = script('piped', 'case $1 in feed) shift; eval "$1";; *) eval "$1";; esac')
  const run = async (feed: string, body: string) => {
    const out: Uint8Array[] = []
    const asked = ask({ feed: ['feed', feed], argv: [body], onOutput: (bytes) => void out.push(bytes) })
    const { end, messages } = await runProgram(path, asked)
    return { end, messages, out: Buffer.concat(out).toString() }
  }
  expect(await run('printf abc; echo told >&2', 'cat')).toEqual({
    end: 'done',
    messages: 'told\n',
    out: 'abc',
  })
  expect(await run('printf abc; exit 1', 'cat')).toMatchObject({ end: 'failed', out: 'abc' })
  // What it is to be told at its end may come a while after its last word.
  expect(await run('printf abc; exec >&-; sleep 0.3; exit 1', 'cat')).toMatchObject({ end: 'failed' })
  expect(await run('printf abc', 'cat; exit 1')).toMatchObject({ end: 'failed' })
  expect(await run('kill -9 $$', 'cat')).toMatchObject({ end: 'killed' })
  expect(await run('exec yes', 'head -c 4')).toMatchObject({ end: 'done', out: 'y\ny\n' })
  const stuck = ask({ feed: ['feed', 'exec sleep 30'], argv: ['cat'], wallMs: 300 })
  expect((await runProgram(path, stuck)).end).toBe('too-slow')
})

test('an ffprobe that may not be run is copied to where it may; one beside ffmpeg is its own', async () => {
  const answers =
    'case "$2" in -version) echo "ffmpeg version 9.9-x Copyright";; *) echo " T.C bwdif  V->V  Deinterlace";; esac'
  const ffmpegPath = script('ffmpeg', answers)
  script('ffprobe', answers, 0o644)
  const programs = await findPrograms({ ffmpegPath, ffprobePath: 'ffprobe' })
  expect(programs.ffmpeg).toBe(ffmpegPath)
  expect(programs.ffprobe).not.toBe('ffprobe')
  expect(basename(programs.ffprobe)).toMatch(/^ffprobe-\d+$/)
  expect(programs.filters).toEqual(new Set(['bwdif']))
  await expect(findPrograms({ ffmpegPath: join(folder, 'nothing'), ffprobePath: 'x' })).rejects.toMatchObject(
    { code: 'unavailable' },
  )
})

test('a build is its version and what it was configured with', () => {
  const version = 'ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000\nconfiguration: --a'
  expect(buildName(version)).toMatch(/^5\.1\.9-0\+deb12u1 [0-9a-f]{12}$/)
  expect(buildName(`${version} --b`)).not.toBe(buildName(version))
  expect(
    filterNames('Filters:\n  T.. = Timeline\n TSC zscale  V->V  x\n ... fps   V->V y\n ..C a  |->A z'),
  ).toEqual(new Set(['zscale', 'fps', 'a']))
})
