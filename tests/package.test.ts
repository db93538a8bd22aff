// What is uploaded to Azure: the same bytes each time, ffmpeg's mode kept, and a bundle that needs nothing beside it.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linuxProgram } from '../scripts/elf.ts'
import { zip } from '../scripts/zip.ts'
import { smallestProgram } from './support/smallest-program.ts'
import { type UnzippedEntry, unzip } from './support/unzip.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'movidone-package-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function makePackage(name: string, env: Record<string, string>) {
  const out = join(folder, name)
  const { FFMPEG_PATH: _ffmpeg, FFPROBE_PATH: _ffprobe, ...inherited } = process.env
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/package.ts'), '--app-only', '--out', out],
    { env: { ...inherited, ...env }, encoding: 'utf8' },
  )
  const entries = status === 0 ? unzip(readFileSync(out)) : []
  return { out, status, said: stdout + stderr, entries }
}

describe('the package', () => {
  const ffmpeg = join(folder, 'ffmpeg')
  let made: ReturnType<typeof makePackage>

  beforeAll(() => {
    writeFileSync(ffmpeg, smallestProgram({ exitCode: 42 }))
    writeFileSync(join(folder, 'ffprobe'), smallestProgram({ exitCode: 43 }))
    made = makePackage('app.zip', { FFMPEG_PATH: ffmpeg })
  })

  const entry = (name: string) => made.entries.find((found) => found.name === name) as UnzippedEntry

  test('has what the host reads, what the app serves and what it runs, and nothing else', () => {
    expect(made.said).not.toContain('WARNING')
    expect(made.status, made.said).toBe(0)
    const names = made.entries.map(({ name }) => name)
    expect(names).toEqual([...names].sort())
    expect(names.filter((name) => !/^(dist\/web\/|LICENSE|THIRD-PARTY)/.test(name))).toEqual([
      'bin/ffmpeg',
      'bin/ffprobe',
      'dist/main.mjs',
      'host.json',
      'package.json',
    ])
    expect(names).toContain('dist/web/index.html')
    expect(JSON.parse(entry('package.json').bytes.toString())).toMatchObject({
      type: 'module',
      main: 'dist/main.mjs',
    })
    expect(entry('package.json').bytes.toString()).not.toMatch(/ependencies|scripts/)
  })

  test('keeps the mode of programs, and of nothing else', () => {
    const executable = made.entries.filter(({ mode }) => mode !== 0o644)
    expect(executable.map(({ name, mode }) => [name, mode])).toEqual([
      ['bin/ffmpeg', 0o755],
      ['bin/ffprobe', 0o755],
    ])
    expect(entry('bin/ffmpeg').bytes).toEqual(readFileSync(ffmpeg))
    expect(entry('bin/ffprobe').bytes).toEqual(readFileSync(join(folder, 'ffprobe')))
  })

  test('is the same, byte for byte, when made again', () => {
    const again = makePackage('again.zip', { FFMPEG_PATH: ffmpeg })
    expect(readFileSync(again.out).equals(readFileSync(made.out))).toBe(true)
  })

  test('loads with nothing but the worker, under the settings that Bicep makes', () => {
    const site = join(folder, 'site')
    for (const { name, mode, bytes } of made.entries) {
      mkdirSync(dirname(join(site, name)), { recursive: true })
      writeFileSync(join(site, name), bytes)
      chmodSync(join(site, name), mode)
    }
    const load = (env: Record<string, string>) =>
      spawnSync(
        process.execPath,
        ['--require', join(root, 'tests/support/functions-core.cjs'), join(site, 'dist/main.mjs')],
        { cwd: site, env, encoding: 'utf8' },
      )
    const loaded = load({ ...azureSettings(), HOME: folder })
    expect(loaded.stderr).toBe('')
    expect(loaded.status).toBe(0)
    const functions = JSON.parse(loaded.stdout.trim().split('\n').at(-1) ?? '') as string[]
    expect(functions).toEqual(expect.arrayContaining(['upload-create', 'encode-asset']))
    // And the settings matter: without them the app refuses to load.
    expect(load({ HOME: folder }).status).not.toBe(0)
  })

  test.runIf(process.platform === 'linux' && process.arch === 'x64')('runs what it carries', () => {
    expect(spawnSync(join(folder, 'site/bin/ffmpeg')).status).toBe(42)
    expect(spawnSync(join(folder, 'site/bin/ffprobe')).status).toBe(43)
  })

  test.runIf(existsSync('/usr/bin/unzip') || existsSync('/usr/bin/python3'))(
    'is read by another reader',
    () => {
      const [command, ...args] = existsSync('/usr/bin/unzip')
        ? ['/usr/bin/unzip', '-tqq', made.out]
        : ['/usr/bin/python3', '-m', 'zipfile', '-t', made.out]
      expect(spawnSync(command as string, args, { encoding: 'utf8' })).toMatchObject({ status: 0 })
    },
  )
})

test('without ffmpeg the package is made, and says that the app will not encode', () => {
  const { status, said, entries } = makePackage('none.zip', {})
  expect(status).toBe(0)
  expect(said).toMatch(/WARNING: no ffmpeg in it, so the app will not encode/)
  expect(entries.map(({ name }) => name).filter((name) => name.startsWith('bin/'))).toEqual([])
})

test('an ffmpeg that is not there, or is for laptops only, is refused', () => {
  const gone = makePackage('gone.zip', { FFMPEG_PATH: join(folder, 'nowhere/ffmpeg') })
  expect(gone.said).toMatch(/nowhere\/ffmpeg is not there; FFMPEG_PATH names the ffmpeg to package/)
  expect(gone.status).toBe(1)
  const old = makePackage('old.zip', { FFMPEG_PATH: '/app/node_modules/@ffmpeg-installer/linux-x64/ffmpeg' })
  expect(old.said).toMatch(/for a laptop only/)
  expect(old.status).toBe(1)
})

test('programs are told apart by what they are', () => {
  const program = smallestProgram({ exitCode: 0 })
  expect(linuxProgram(program)).toBe('static')
  expect(linuxProgram(smallestProgram({ exitCode: 0, interpreter: true }))).toBe(
    'needs libraries that are not there',
  )
  const arm = Buffer.from(program)
  arm.writeUInt16LE(183, 18)
  expect(linuxProgram(arm)).toBe('is not for x64')
  expect(linuxProgram(Buffer.from('#!/bin/sh\n'))).toBe('is not a Linux program')
})

test('a zip takes empty files and names of every script, and refuses a name twice', () => {
  const entries = [
    { name: 'é/テスト.txt', bytes: Buffer.from('こんにちは') },
    { name: 'empty', bytes: Buffer.alloc(0) },
  ]
  expect(unzip(zip(entries)).map(({ name, bytes }) => [name, bytes.toString()])).toEqual([
    ['empty', ''],
    ['é/テスト.txt', 'こんにちは'],
  ])
  expect(() => zip([...entries, ...entries])).toThrow('twice')
})

/** The settings of the snapshot; what is known only when deployed gets a value of its form. */
function azureSettings(): Record<string, string> {
  const { predictedResources } = JSON.parse(readFileSync(join(root, 'infra/dev.snapshot.json'), 'utf8')) as {
    predictedResources: { type: string; properties: Record<string, string> }[]
  }
  const { properties } = predictedResources.find(({ type }) => type === 'Microsoft.Web/sites/config') ?? {}
  const known = Object.entries(properties ?? {}).map(([name, value]) => [
    name,
    value.startsWith('[') ? 'https://known-when-deployed.example' : value,
  ])
  return Object.fromEntries(known)
}
