// How bodies flow in and out (rules 3, 4 and 17): what is read first, what is streamed, what is too much.
import { writeFileSync } from 'node:fs'
import { request as call } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardResponse } from '../../host/functions/response-guard.ts'
import { appFolder, freshFolder, listening, type RunningApp, send, startApp } from './running-app.ts'

let streaming: RunningApp
let buffered: RunningApp
const letGo = join(freshFolder(), 'go')
beforeAll(async () => {
  const env = {
    LET_GO: letGo,
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '5000',
    AzureFunctionsJobHost__logging__logLevel__Function: 'Debug',
  }
  ;[streaming, buffered] = await Promise.all([
    startApp(appFolder('streaming'), { env }),
    startApp(appFolder('buffered'), { env }),
  ])
})
afterAll(() => Promise.all([streaming.stop(), buffered.stop()]))

/** An answer whose second half is held back: what has come of it, and when it is whole. */
function held(port: number) {
  let text = ''
  const whole = new Promise<string>((done, reject) => {
    call({ port, host: '127.0.0.1', path: '/api/result/held', agent: false }, (answer) => {
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => done(text))
    })
      .on('error', reject)
      .end()
  })
  return { text: () => text, whole }
}

describe('an answer', () => {
  it('goes out piece by piece when streaming, and all at once when buffered', async () => {
    const [flowing, waiting] = [held(streaming.port), held(buffered.port)]
    await expect.poll(() => buffered.log()).toMatch(/Function\.result {2}Executing/)
    await expect.poll(flowing.text).toBe('1')
    expect(waiting.text()).toBe('')
    writeFileSync(letGo, '')
    expect(await Promise.all([flowing.whole, waiting.whole])).toEqual(['12', '12'])
  })

  it('rule 4: is pulled to its end with nobody reading, and a client that leaves is not seen', async () => {
    const socket = connect(streaming.port, '127.0.0.1')
    socket.write('GET /api/flood HTTP/1.1\r\nhost: x\r\n\r\n')
    socket.pause()
    // 10 MiB: far more than the socket's buffers hold.
    await expect
      .poll(async () => JSON.parse((await streaming.ask('/api/flooded')).text).pulled)
      .toBeGreaterThan(40)
    socket.destroy()
    await sleep(50)
    expect(JSON.parse((await streaming.ask('/api/flooded')).text)).toEqual({ pulled: 41, cancelled: 0 })
  })

  it('rule 3: is given up after so many seconds without a byte', async () => {
    const reports: string[] = []
    const { server, port } = await listening((request, response) => {
      guardResponse(request, response, {
        idleSeconds: 0.1,
        headers: { a: 'b' },
        report: (line) => reports.push(line),
      })
      if (request.url === '/begun') response.write('begun')
    })
    const silent = await send(port, '/silent')
    expect([silent.status, silent.headers['a'], silent.text]).toEqual([500, 'b', ''])
    expect(await send(port, '/begun')).toMatchObject({ status: 200, text: 'begun', isComplete: false })
    expect(reports).toEqual(Array(2).fill(expect.stringMatching(/^rule 3: no byte for 0\.1 s/)))
    server.close()
  })
})

describe('rule 17: a request body', () => {
  const post = (app: RunningApp, sizeBytes: number, headers = {}) =>
    app.ask('/api/size', { method: 'POST', body: Buffer.alloc(sizeBytes), headers })
  const chunked = { 'transfer-encoding': 'chunked' }

  it('may be as long as the limit, and one byte more is a 500', async () => {
    for (const app of [streaming, buffered]) {
      expect((await post(app, 5000)).text).toBe('{"size":5000}')
      const refused = await post(app, 5001)
      expect([refused.status, refused.text, refused.headers.connection]).toEqual([500, '', 'close'])
    }
  })

  it('may be 100 MiB long where nothing else is set', async () => {
    const app = await startApp(appFolder('streaming'))
    const begin = (length: number) =>
      new Promise<string>((done) => {
        const socket = connect(app.port, '127.0.0.1')
        socket.write(`POST /api/size HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`)
        socket.once('data', (data) => done(data.toString().split('\r\n')[0]!))
      })
    const first = begin(104_857_600)
    expect(await begin(104_857_601)).toBe('HTTP/1.1 500 Internal Server Error')
    expect(await Promise.race([first, sleep(300, 'waits for the body')])).toBe('waits for the body')
    app.process.kill('SIGKILL')
  })

  it('arrives empty when it is chunked and the app buffered, with a line that says so', async () => {
    expect((await post(streaming, 4000, chunked)).text).toBe('{"size":4000}')
    expect((await post(buffered, 4000, chunked)).text).toBe('{"size":0}')
    await expect.poll(() => buffered.log()).toMatch(/rule 17: .*chunked/)
  })

  it('that is chunked fails where it grows too large', async () => {
    expect((await post(streaming, 5001, chunked)).status).toBe(500)
    await expect.poll(() => streaming.log()).toMatch(/rule 17: the request body is over 5000 bytes/)
  })

  it('of announced length that never ends does not start the function', async () => {
    // A function that nothing else here asks for. Its lines come in their order, if late.
    const runs = () => streaming.log().match(/Function\.echo {2}Executing/g)?.length ?? 0
    const whole = () => streaming.ask('/api/echo', { method: 'POST', body: '1234567890' })
    const socket = connect(streaming.port, '127.0.0.1')
    socket.write('POST /api/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345')
    await sleep(100)
    expect((await whole()).status).toBe(200)
    await expect.poll(runs).toBeGreaterThan(0)
    expect(runs()).toBe(1)
    socket.destroy()
    await sleep(100)
    expect((await whole()).status).toBe(200)
    await expect.poll(runs).toBeGreaterThan(1)
    expect(runs()).toBe(2)
  })
})
