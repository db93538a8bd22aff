// One POST against real receivers: those that answer, hang, redirect, pour, or hang up; and what it never connects to.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../shared/core/clock.ts'
import { createSend, type SendDeps } from '../../shared/webhooks/send.ts'
import { type Certificate, makeCertificate, trust } from '../support/certificate.ts'
import { type Receiver, says, startReceiver } from './receiver.ts'

const message = { headers: { 'content-type': 'application/json', 'webhook-id': 'evt_x' }, body: '{"ä":1}' }
/** Longer than any test: what takes its time on a busy machine is not given up. */
const patienceMs = 100_000
const sender = (more: Partial<SendDeps> = {}) =>
  createSend({ clock: systemClock, allowLocal: true, connectMs: patienceMs, totalMs: patienceMs, ...more })
const names = (addresses: Record<string, string[]>) => async (name: string) =>
  (addresses[name] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
afterAll(() => receiver?.close())
afterEach(() => {
  receiver.answers(says(200))
  receiver.received.length = 0
})

describe('a receiver that', () => {
  test('answers: its status, whatever it is', async () => {
    for (const status of [200, 204, 404, 410, 500]) {
      receiver.answers(says(status))
      expect(await sender()(receiver.url, message)).toEqual({ status, durationMs: expect.any(Number) })
    }
    expect(receiver.received[0]).toMatchObject({ method: 'POST', path: '/hooks', body: message.body })
    expect(receiver.received[0]?.headers).toMatchObject({ ...message.headers, 'content-length': '8' })
  })

  test('asks for patience', async () => {
    receiver.answers(says(503, { 'retry-after': '30' }), says(503, { 'retry-after': 'tomorrow' }))
    expect(await sender()(receiver.url, message)).toMatchObject({ status: 503, retryAfterSeconds: 30 })
    expect(await sender()(receiver.url, message)).not.toHaveProperty('retryAfterSeconds')
  })

  test('redirects is not followed', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.answers(says(status, { location: receiver.url.replace('hooks', 'elsewhere') }))
      expect(await sender()(receiver.url, message)).toMatchObject({ status })
    }
    expect(receiver.received.map(({ path }) => path)).toEqual(Array(5).fill('/hooks'))
  })

  test('takes the request and never answers', async () => {
    receiver.answers(() => {})
    const sent = await sender({ totalMs: 600 })(receiver.url, message)
    expect(sent).toMatchObject({ error: 'timeout' })
    expect(sent.durationMs).toBeGreaterThanOrEqual(590)
  })

  test('pours without end is cut off, and holds nobody up', async () => {
    let written = 0
    let closed: Promise<unknown> = Promise.resolve()
    receiver.answers((response) => {
      response.writeHead(200)
      const pour = setInterval(() => {
        written += 65_536
        response.write(Buffer.alloc(65_536))
      }, 1)
      closed = once(response, 'close').then(() => clearInterval(pour))
    })
    expect(await sender()(receiver.url, message)).toMatchObject({ status: 200 })
    await closed
    expect(written).toBeLessThan(50 << 20)
  })

  test('hangs up, before or amid its answer', async () => {
    receiver.answers((_response, request) => request.socket.destroy())
    expect(await sender()(receiver.url, message)).toMatchObject({ error: 'connection-lost' })
    receiver.answers((response, request) => {
      response.socket?.write('HTTP/1.1 200 OK\r\ncontent-le')
      setTimeout(() => request.socket.destroy(), 20)
    })
    expect(await sender()(receiver.url, message)).toMatchObject({ error: 'connection-lost' })
    // Once the status is there, the rest is not needed.
    receiver.answers((response, request) => {
      response.writeHead(202, { 'content-length': '100' }).write('x')
      setTimeout(() => request.socket.destroy(), 20)
    })
    expect(await sender()(receiver.url, message)).toMatchObject({ status: 202 })
  })

  test('speaks no HTTP, or is not there', async () => {
    const open = new Set<Socket>()
    const server: Server = createServer((socket) => {
      open.add(socket)
      socket.on('error', () => {}).write('SSH-2.0-OpenSSH_9.9\r\n')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    expect(await sender()(url, message)).toMatchObject({ error: 'connection-lost' })
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
    // A port that nobody is handed out; the one that was just closed may be another's by now.
    expect(await sender()('http://127.0.0.1:1/', message)).toMatchObject({ error: 'connection-refused' })
  })
})

describe('a name', () => {
  const at = (host: string) => `http://${host}:${receiver.port}/hooks`

  test('that leads to an allowed address is sent to; one that leads elsewhere is not, nor one that does both', async () => {
    const resolve = names({
      'good.example': ['127.0.0.1'],
      'bad.example': ['169.254.169.254'],
      'both.example': ['127.0.0.1', '10.0.0.1'],
    })
    const send = sender({ resolve })
    expect(await send(at('good.example'), message)).toMatchObject({ status: 200 })
    expect(receiver.received[0]?.headers.host).toBe(`good.example:${receiver.port}`)
    for (const host of ['bad.example', 'both.example'])
      expect(await send(at(host), message)).toMatchObject({ error: 'address-not-allowed' })
    expect(await send(at('nothing.example'), message)).toMatchObject({ error: 'name-not-found' })
    expect(receiver.received).toHaveLength(1)
  })

  test('is looked up once for each try: what it leads to in between is not connected to', async () => {
    let asked = 0
    const changing = (answers: string[]) => async () => [{ address: answers[asked++ % 2] ?? '', family: 4 }]
    const outFirst = sender({ resolve: changing(['127.0.0.1', '10.0.0.1']) })
    expect(await outFirst(at('rebinding.example'), message)).toMatchObject({ status: 200 })
    expect(asked).toBe(1)
    expect(await outFirst(at('rebinding.example'), message)).toMatchObject({ error: 'address-not-allowed' })
    expect(asked).toBe(2)
    // Whoever looked once more before it connects would now find the receiver.
    const inFirst = sender({ resolve: changing(['10.0.0.1', '127.0.0.1']) })
    expect(await inFirst(at('rebinding.example'), message)).toMatchObject({ error: 'address-not-allowed' })
    expect(asked).toBe(3)
    expect(receiver.received).toHaveLength(1)
  })

  test('that nobody answers for in time is given up', async () => {
    const send = sender({ connectMs: 300, resolve: () => new Promise(() => {}) })
    expect(await send(at('slow.example'), message)).toMatchObject({ error: 'timeout' })
  })
})

describe('without a word for this machine', () => {
  test('no way to write it leads there, though somebody listens', async () => {
    const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '0.0.0.0']
    expect(await sender()(receiver.url, message)).toMatchObject({ status: 200 })
    const refused = sender({ allowLocal: false })
    for (const host of hosts)
      for (const scheme of ['http', 'https'])
        expect(await refused(`${scheme}://${host}:${receiver.port}/hooks`, message)).toMatchObject({
          error: 'address-not-allowed',
        })
    expect(receiver.received).toHaveLength(1)
    const socket = connect(receiver.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  })
})

describe('https', () => {
  let tls: Certificate
  let secure: Receiver
  beforeAll(async () => {
    tls = makeCertificate('hooks.example')
    secure = await startReceiver({ tls })
  })
  afterAll(async () => {
    await secure?.close()
    tls?.remove()
  })

  test('takes a certificate that is trusted and names the host, and no other', async () => {
    const send = sender({
      resolve: names({ 'hooks.example': ['127.0.0.1'], 'other.example': ['127.0.0.1'] }),
    })
    const at = (host: string) => `https://${host}:${secure.port}/hooks`
    expect(await send(at('hooks.example'), message)).toMatchObject({ error: 'certificate-refused' })
    trust(tls)
    expect(await send(at('hooks.example'), message)).toMatchObject({ status: 200 })
    expect(await send(at('other.example'), message)).toMatchObject({ error: 'certificate-refused' })
    expect(await send(`https://127.0.0.1:${receiver.port}/hooks`, message)).toMatchObject({
      error: 'certificate-refused',
    })
    expect(secure.received).toHaveLength(1)
  })
})
