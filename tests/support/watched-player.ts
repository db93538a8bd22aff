// ffmpeg as a player, and what stands between it and the platform: notes what was asked, and lets it wait in the middle of a film.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'

async function framesOf(url: string): Promise<string[]> {
  const args = ['-v', 'error', '-nostdin', '-i', url, '-map', '0:v:0', '-f', 'framemd5', '-']
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [said, wrong] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect(wrong).toBe('')
  return said.split('\n').filter((line) => /^\d/.test(line))
}

export interface WatchedPlayer {
  /** Resolves with its frames at the end of the film. */
  readonly frames: Promise<string[]>
  readonly seen: ReadonlyArray<{ path: string; status: number; isLate: boolean }>
  /** It has the first segment, and asks for another in vain. */
  waits(): boolean
  goOn(): void
}

/** Plays from the start; whatever segment follows the first one it gets when it may go on. */
export async function watchPlayer(apiUrl: string, url: string): Promise<WatchedPlayer> {
  const seen: Array<{ path: string; status: number; isLate: boolean }> = []
  let waiting = 0
  let isLate = false
  let goOn = () => {}
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = () => {
      isLate = true
      resolve()
    }
  })
  const server = createServer(async (ask, answer) => {
    const { pathname } = new URL(ask.url ?? '/', apiUrl)
    if (/\/[1-9]\d*\.m4s$/.test(pathname) && !isLate) {
      waiting++
      await mayGoOn
    }
    pass(ask, answer, isLate)
  })
  /** ffmpeg gives up where a viewer comes back. */
  function pass(ask: IncomingMessage, answer: ServerResponse, wasLate: boolean): void {
    const headers = { ...ask.headers, connection: 'close' }
    const passed = request(`${apiUrl}${ask.url}`, { method: ask.method, headers, agent: false }, (reply) => {
      const { statusCode: status = 502 } = reply
      if (status === 503) {
        reply.resume()
        setTimeout(() => pass(ask, answer, wasLate), 500)
        return
      }
      seen.push({ path: new URL(ask.url ?? '/', apiUrl).pathname, status, isLate: wasLate })
      answer.writeHead(status, reply.headers)
      reply.pipe(answer)
    })
    passed.on('error', () => answer.destroy()).end()
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const played = framesOf(url.replace(apiUrl, origin)).finally(() => server.close())
  // Whoever awaits it hears of it.
  played.catch(() => {})
  return {
    frames: played,
    seen,
    waits: () => waiting > 0 && seen.some(({ path }) => path.endsWith('/0.m4s')),
    goOn,
  }
}

/** Every frame of a film, by its hash. */
export async function frames(apiUrl: string, url: string): Promise<string[]> {
  const player = await watchPlayer(apiUrl, url)
  player.goOn()
  return player.frames
}
