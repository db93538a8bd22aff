// Starts one of the little apps as the platform would, in a process of its own, and talks to it byte for byte.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly text: string
  /** False when the connection broke before the end. */
  readonly isComplete: boolean
}

export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

export interface RunningApp {
  readonly port: number
  readonly process: ChildProcess
  log(): string
  ask(path: string, ask?: Ask): Promise<Answer>
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
  stop(): Promise<number | null>
}

export interface StartOptions {
  readonly env?: Record<string, string>
  readonly state?: string
  readonly port?: number
}

const folders: string[] = []
// Of the file that imports this; registered first, it runs last.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Gone when the tests of the file are over. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'movidone-host-'))
  folders.push(folder)
  return folder
}
export const repository = resolve(import.meta.dirname, '../..')

/** Rejects with what the host said when it ends before it is ready. */
export async function startApp(folder: string, options: StartOptions = {}): Promise<RunningApp> {
  const { env = {}, state = freshFolder(), port = 0 } = options
  const child = spawn(
    process.execPath,
    [
      join(repository, 'host/main.ts'),
      'functions',
      '--folder',
      folder,
      '--port',
      String(port),
      '--state',
      state,
    ],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let stderr = ''
  let stdout = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
  const ready = await new Promise<{ port: number }>((resolveReady, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      const line = stdout.split('\n').find((one) => one.startsWith('{"ready"'))
      if (line) resolveReady(JSON.parse(line))
    })
    void ended.then((code) => reject(new Error(`exit ${code}: ${stderr}`)))
  })
  return {
    port: ready.port,
    process: child,
    ended,
    log: () => stderr,
    ask: (path, ask) => send(ready.port, path, ask),
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

export const appFolder = (name: string): string => join(import.meta.dirname, 'apps', name)

export function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  return new Promise((done, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = []
      const finish = (isComplete: boolean): void =>
        done({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          rawHeaders: answer.rawHeaders,
          text: Buffer.concat(parts).toString('utf8'),
          isComplete,
        })
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => finish(true))
      answer.on('error', () => finish(false))
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** A server on any free port of loopback. */
export async function listening(listener?: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}
