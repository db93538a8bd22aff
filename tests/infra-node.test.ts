// How a machine of the fleet takes its version at boot, run for real against small servers that stand in for its metadata and for Blob.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processTable } from '../host/platform/process-table.ts'
import { tarGz } from '../scripts/tar.ts'

const script = join(import.meta.dirname, '../infra/node/fetch.sh')
const token = 'eyJ0eXAiOiJKV1QifQ.not-a-real.token'
const client = '00000000-0000-0000-0000-0000000000aa'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function serve(answer: Answer, { host = '127.0.0.1', port = 0 } = {}) {
  const server = createServer(answer).listen(port, host)
  await once(server, 'listening')
  return server
}
const portOf = (server: Server) => (server.address() as AddressInfo).port
const close = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** A worker that says which one it is. */
function version(said: string) {
  const bytes = tarGz([
    {
      name: 'bin/node',
      bytes: Buffer.from(`#!/bin/sh\necho ${said} "$NODE_ID" "$1"\n`),
      executable: true,
    },
    { name: 'worker.mjs', bytes: Buffer.from(`// ${said}\n`) },
  ])
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

describe.runIf(process.platform === 'linux')('a machine at its boot', () => {
  let folder: string
  let metadata: Server
  let store: Server
  let running: ChildProcess[]
  /** Of the container, by name; what was asked of it, in order. */
  let blobs: Map<string, Buffer>
  let asked: string[]
  let userData: string
  let onBlob: Answer | undefined

  const path = (name: string) => join(folder, name)
  const publish = ({ bytes, sha256 }: ReturnType<typeof version>) => {
    blobs.set(`${sha256}.tar.gz`, bytes)
    blobs.set('current', Buffer.from(`${sha256}\n`))
  }

  const answerMetadata: Answer = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://metadata')
    // As the real one refuses what was sent on by somebody else.
    if (request.headers['metadata'] !== 'true' || request.headers['x-forwarded-for'])
      return void response.writeHead(400).end()
    if (pathname === '/metadata/instance/compute/userData' && searchParams.get('format') === 'text')
      return void response.end(Buffer.from(userData).toString('base64'))
    if (
      pathname === '/metadata/identity/oauth2/token' &&
      searchParams.get('client_id') === client &&
      searchParams.get('resource') === 'https://storage.azure.com/'
    ) {
      response.setHeader('content-type', 'application/json')
      return void response.end(
        JSON.stringify({ access_token: token, expires_in: '86399', token_type: 'Bearer' }),
      )
    }
    response.writeHead(404).end()
  }

  const answerBlob: Answer = (request, response) => {
    const name = (request.url ?? '').replace(/^\/worker\//, '')
    asked.push(name)
    // Blob takes a bearer token from version 2017-11-09 on alone.
    if (request.headers.authorization !== `Bearer ${token}` || !request.headers['x-ms-version'])
      return void response.writeHead(401).end()
    if (onBlob) return onBlob(request, response)
    const blob = blobs.get(name)
    if (blob) response.end(blob)
    else response.writeHead(404).end()
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'movidone-node-'))
    blobs = new Map()
    asked = []
    running = []
    onBlob = undefined
    metadata = await serve(answerMetadata)
    store = await serve(answerBlob)
    userData = [
      'NODE_ID=encoder-z1-1',
      `AZURE_CLIENT_ID=${client}`,
      `WORKER_URL=http://127.0.0.1:${portOf(store)}/worker`,
      'FLEET_POOLS={"currency":"EUR","pools":[]}',
      '',
    ].join('\n')
  })
  afterEach(async () => {
    for (const { pid, exitCode, signalCode } of running)
      if (pid && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL')
    await close(metadata)
    await close(store)
    rmSync(folder, { recursive: true, force: true })
  })

  function boot(...args: string[]) {
    const child = spawn(script, args, {
      detached: true,
      env: {
        PATH: process.env['PATH'],
        MOVIDONE_METADATA: `http://127.0.0.1:${portOf(metadata)}/metadata`,
        MOVIDONE_PROTOCOLS: '=http',
        MOVIDONE_VERSIONS: path('versions'),
        MOVIDONE_SETTINGS: path('run/worker.env'),
        MOVIDONE_PAUSE_SECONDS: '0.1',
      },
    })
    running.push(child)
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
    return { child, ended, said: () => said }
  }
  const bootOnce = async () => {
    const { ended, said } = boot('once')
    return { status: await ended, said: said() }
  }
  const until = async (reached: () => boolean) => {
    await expect.poll(reached, { interval: 25 }).toBe(true)
  }
  /** Starts what the service would start, with the settings that it would get. */
  const run = () =>
    spawnSync(path('versions/current/bin/node'), ['worker.mjs'], {
      env: Object.fromEntries(
        readFileSync(path('run/worker.env'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(/=(.*)/s).slice(0, 2)),
      ),
      encoding: 'utf8',
    }).stdout.trim()

  test('takes the version that is wanted, and what the machine is told', async () => {
    const first = version('first')
    publish(first)
    expect(await bootOnce()).toMatchObject({ status: 0, said: expect.stringContaining(first.sha256) })
    expect(readFileSync(path('run/worker.env'), 'utf8')).toBe(userData)
    expect(readlinkSync(path('versions/current'))).toBe(first.sha256)
    expect(run()).toBe('first encoder-z1-1 worker.mjs')
  })

  test('takes a new one at the next boot, loads each once, and keeps none that is not wanted', async () => {
    const [first, second] = [version('first'), version('second')]
    publish(first)
    await bootOnce()
    await bootOnce()
    expect(asked).toEqual(['current', `${first.sha256}.tar.gz`, 'current'])
    publish(second)
    userData += 'ENCODE_THREADS=4\n'
    expect(await bootOnce()).toMatchObject({ status: 0 })
    expect(run()).toBe('second encoder-z1-1 worker.mjs')
    expect(readFileSync(path('run/worker.env'), 'utf8')).toBe(userData)
    expect(globSync('*', { cwd: path('versions') }).sort()).toEqual([second.sha256, 'current'].sort())
    // And back again.
    publish(first)
    await bootOnce()
    expect(run()).toBe('first encoder-z1-1 worker.mjs')
  })

  test('refuses a version whose hash is another, until it is right', async () => {
    const { bytes, sha256 } = version('first')
    publish({ bytes: version('evil').bytes, sha256 })
    const { status, said } = await bootOnce()
    expect(status).not.toBe(0)
    expect(said).toMatch(new RegExp(`refused: ${sha256}\\.tar\\.gz has the SHA-256 [0-9a-f]{64}`))
    expect(readdirSync(path('versions'))).not.toContain(sha256)
    expect(existsSync(path('versions/current'))).toBe(false)
    expect(existsSync(path('run/worker.env'))).toBe(false)

    const booting = boot()
    await until(() => asked.filter((name) => name === 'current').length >= 3)
    publish({ bytes, sha256 })
    expect(await booting.ended).toBe(0)
    expect(run()).toBe('first encoder-z1-1 worker.mjs')
  })

  test('refuses a name that is no hash, and asks for nothing by it', async () => {
    publish(version('first'))
    for (const named of ['', 'latest\n', '../../etc\n', 'G'.repeat(64), `${'a'.repeat(63)}/`]) {
      blobs.set('current', Buffer.from(named))
      const { status, said } = await bootOnce()
      expect(status, named).not.toBe(0)
      expect(said).toContain("'current' names no version")
    }
    expect(new Set(asked)).toEqual(new Set(['current']))
  })

  test('tries again while nobody can be reached', async () => {
    publish(version('first'))
    // At an address of its own, where nobody else takes the port meanwhile.
    const host = '127.0.0.2'
    const before = await serve(answerBlob, { host })
    const port = portOf(before)
    await close(before)
    userData = userData.replace(/127\.0\.0\.1:\d+/, `${host}:${port}`)
    const booting = boot()
    await until(() => (booting.said().match(/again in/g) ?? []).length >= 2)
    let refusals = 0
    onBlob = (_, response) => {
      refusals++
      response.writeHead(503).end()
    }
    await close(store)
    store = await serve(answerBlob, { host, port })
    await until(() => refusals >= 2)
    expect(booting.child.exitCode).toBeNull()
    onBlob = undefined
    expect(await booting.ended).toBe(0)
    expect(run()).toBe('first encoder-z1-1 worker.mjs')
  })

  test('is told nothing useful, and says so', async () => {
    publish(version('first'))
    userData = 'NODE_ID=encoder-z1-1\n'
    const { status, said } = await bootOnce()
    expect(status).not.toBe(0)
    expect(said).toContain('names no WORKER_URL and AZURE_CLIENT_ID')
    expect(asked).toEqual([])
  })

  test('cut off in the middle of a version, it begins anew; and its token is in no argument', async () => {
    const first = version('first')
    publish(first)
    let halfway = false
    onBlob = (request, response) => {
      if (request.url?.endsWith('current')) return void response.end(blobs.get('current'))
      response.writeHead(200, { 'content-length': first.bytes.length })
      response.write(first.bytes.subarray(0, first.bytes.length / 2), () => {
        halfway = true
      })
    }
    const booting = boot()
    await until(() => halfway)
    const commands = processTable().filter(({ group }) => group === booting.child.pid)
    expect(commands.some(({ command }) => command.includes(`${first.sha256}.tar.gz`))).toBe(true)
    expect(commands.filter(({ command }) => command.includes(token))).toEqual([])
    process.kill(-(booting.child.pid as number), 'SIGKILL')
    await booting.ended
    expect(existsSync(path('versions/current'))).toBe(false)
    onBlob = undefined
    expect(await bootOnce()).toMatchObject({ status: 0 })
    expect(run()).toBe('first encoder-z1-1 worker.mjs')
    expect(globSync('{*,.part*}', { cwd: path('versions') }).sort()).toEqual([first.sha256, 'current'].sort())
  })
})

test('the script is sound to the shell, and to its critic where there is one', () => {
  expect(spawnSync('bash', ['-n', script])).toMatchObject({ status: 0 })
  const critic = ['/usr/bin/shellcheck', '/usr/local/bin/shellcheck'].find(existsSync)
  if (critic)
    expect(spawnSync(critic, [script], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' })
})
