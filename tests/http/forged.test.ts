// What Node's own server tells of a request that the host forwards: that a GET has a body, which no function is told.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mayBeForged } from '../../functions/forged.ts'

const nothing = new URLSearchParams()
const seen: boolean[] = []
const server = createServer((asked, response) => {
  seen.push(mayBeForged(nothing, String(asked.headers['x-ms-invocation-id'])))
  asked.resume()
  response.end()
})
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => server.close())
const port = () => (server.address() as AddressInfo).port

function send(method: string, id: string, headers: Record<string, string> = {}, body = '') {
  return new Promise<boolean | undefined>((resolve, reject) => {
    const asked = request(
      { port: port(), method, headers: { 'x-ms-invocation-id': id, ...headers }, agent: false },
      (response) => response.resume().on('end', () => resolve(seen.at(-1))),
    )
    asked.on('error', reject).end(body)
  })
}

describe('a body', () => {
  test.each(['GET', 'HEAD', 'OPTIONS'])(
    'of %s is noticed while it is answered, and forgotten then',
    async (method) => {
      expect(await send(method, 'a')).toBe(false)
      expect(await send(method, 'b', { 'content-length': '0' })).toBe(false)
      expect(await send(method, 'c', { 'content-length': '2' }, '{}')).toBe(true)
      expect(await send(method, 'd', { 'transfer-encoding': 'chunked' }, '{}')).toBe(true)
      await expect.poll(() => ['c', 'd'].some((id) => mayBeForged(nothing, id))).toBe(false)
    },
  )

  test('of a request that broke off is forgotten, too', async () => {
    const before = seen.length
    const socket = connect(port(), '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nx-ms-invocation-id: e\r\ncontent-length: 100\r\n\r\n{')
    await expect.poll(() => seen.length).toBe(before + 1)
    expect(seen.at(-1)).toBe(true)
    socket.destroy()
    await expect.poll(() => mayBeForged(nothing, 'e')).toBe(false)
  })

  test('of a POST belongs there', async () => {
    expect(await send('POST', 'f', { 'content-length': '2' }, '{}')).toBe(false)
  })
})

test.each([
  ['', false],
  ['a=headers', false],
  ['header=1&myheaders=2', false],
  ['headers', true],
  ['a=b&Headers={}', true],
  ['%48EADERS=1', true],
  ['headers=1&headers=2', true],
])('the query %j: %s', (query, expected) =>
  expect(mayBeForged(new URLSearchParams(query), 'none')).toBe(expected),
)
