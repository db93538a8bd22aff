// How an edge bears its readers: slow ones, silent ones, and those who send more than a request needs.
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { whole } from '../../shared/http/whole.ts'
import { type Listener, listen } from '../../worker/listener.ts'

const sizeBytes = 8 << 20
let listener: Listener
/** The same, but a reader has four seconds, and one more for every eight megabytes. */
let strict: Listener
let isEnding = false
beforeAll(async () => {
  const listenFor = (graceMs: number) =>
    listen({
      ...{ host: '127.0.0.1', port: 0, mostBytes: 3 * sizeBytes },
      slowest: { graceMs, bytesPerSecond: sizeBytes },
      isEnding: () => isEnding,
      answer: async ({ url }) =>
        whole({ status: 200, headers: {}, body: url === '/large' ? Buffer.alloc(sizeBytes, 'x') : 'small' }),
      full: () => whole({ status: 503, headers: { 'retry-after': '5' } }),
    })
  ;[listener, strict] = await Promise.all([listenFor(600_000), listenFor(4000)])
})
afterAll(() => Promise.all([listener.close(), strict.close()]))

const ask = (path: string, headers: Record<string, string> = {}, { port } = listener) =>
  new Promise<{
    status: number
    headers: Record<string, unknown>
    read: () => Promise<number>
    end: () => void
  }>((resolve, reject) => {
    const asked = request({ port, path, headers, agent: false }, (answer) => {
      const read = async () => {
        let count = 0
        for await (const part of answer) count += (part as Buffer).length
        return count
      }
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, read, end: () => asked.destroy() })
    })
    asked.on('error', reject)
    asked.end()
  })

test('readers who do not read fill a bounded memory; others are told to come back, and what is small goes out', async () => {
  const slow = [await ask('/large'), await ask('/large'), await ask('/large')]
  expect(slow.map(({ status }) => status)).toEqual([200, 200, 200])
  expect((await ask('/large')).status).toBe(503)
  slow[0]?.end()
  await expect.poll(listener.inFlight).toBe(2)
  const next = await ask('/large')
  expect(next.status).toBe(200)
  expect(await next.read()).toBe(sizeBytes)
  expect(await slow[1]?.read()).toBe(sizeBytes)
  slow[2]?.end()
  await expect.poll(listener.inFlight).toBe(0)
  expect(await (await ask('/small')).read()).toBe(5)
})

test('headers are bounded', async () => {
  expect((await ask('/small', { 'x-long': 'x'.repeat(20_000) })).status).toBe(200)
  expect((await ask('/small', { 'x-long': 'x'.repeat(40_000) })).status).toBe(431)
})

test('connections stay for the next request, unless it ends', async () => {
  const kept = await ask('/small', { connection: 'keep-alive' })
  expect(kept.headers['connection']).toBe('keep-alive')
  isEnding = true
  expect((await ask('/small', { connection: 'keep-alive' })).headers['connection']).toBe('close')
  isEnding = false
})

// These two wait for seconds of the listener's own, side by side.
test.concurrent('a reader who is too slow is not waited for', async () => {
  const beganMs = performance.now()
  const slow = await ask('/large', {}, strict)
  expect(slow.status).toBe(200)
  await expect.poll(strict.inFlight).toBe(0)
  // Its grace, and a second for as much as it was to read.
  expect(performance.now() - beganMs).toBeGreaterThan(4900)
  await expect(slow.read()).rejects.toThrow()
})

test.concurrent('who never ends a request is not waited for either', async () => {
  const socket = connect(listener.port, '127.0.0.1')
  let said = ''
  socket.on('data', (bytes) => {
    said += bytes
  })
  socket.write('GET /small HTTP/1.1\r\nHost: a.test\r\nX-Slow: ')
  const beganMs = performance.now()
  await once(socket, 'close')
  expect(said).toMatch(/^HTTP\/1.1 408 /)
  expect(performance.now() - beganMs).toBeGreaterThan(9000)
})

test('a body where none belongs is answered, and its connection ends', async () => {
  const socket = connect(listener.port, '127.0.0.1')
  let said = ''
  socket.on('data', (bytes) => {
    said += bytes
  })
  socket.write('GET /small HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000000\r\n\r\nxxxx')
  await once(socket, 'close')
  expect(said).toMatch(/^HTTP\/1.1 200 /)
  expect(said).toMatch(/connection: close/i)
})
