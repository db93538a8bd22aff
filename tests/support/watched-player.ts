// ffmpeg as a player, and what stands between it and the platform: notes what was asked, and lets it wait in the middle of a film.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'

/** Every frame that ffmpeg decodes, by its hash. */
export async function frames(url: string): Promise<string[]> {
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
    const asked = isLate
    const headers = { ...ask.headers, connection: 'close' }
    const passed = request(`${apiUrl}${ask.url}`, { method: ask.method, headers, agent: false }, (reply) => {
      seen.push({ path: pathname, status: reply.statusCode ?? 0, isLate: asked })
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    ask.pipe(passed)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const played = frames(url.replace(apiUrl, origin)).finally(() => server.close())
  // Whoever awaits it hears of it.
  played.catch(() => {})
  return {
    frames: played,
    seen,
    waits: () => waiting > 0 && seen.some(({ path }) => path.endsWith('/0.m4s')),
    goOn,
  }
}
