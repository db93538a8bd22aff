// The host's listener and clients who never say all of what they want: their headers do not stand for longer than 30 s.
import { connect } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { type HttpServer, limits, listen, type Site } from '../../host/functions/http-server.ts'

const patient = await listen(0, '127.0.0.1')
const hasty = await listen(0, '127.0.0.1', {
  ...limits,
  headersTimeout: 200,
  connectionsCheckingInterval: 20,
})
for (const server of [patient, hasty]) server.open({ customHeaders: {} } as Site)
afterAll(() => Promise.all([patient.abandon(), hasty.abandon()]))

/** All that is answered before the server closes the connection. */
const answerOf = ({ port }: HttpServer, said: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const client = connect(port, '127.0.0.1', () => client.write(said))
    client.on('data', (part) => {
      answer += part
    })
    client.on('error', reject).on('close', () => resolve(answer))
  })

const whole = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'

it('ends a connection on which headers have begun and do not end', async () => {
  expect(await answerOf(patient, whole)).toMatch(/^HTTP\/1\.1 200 /)
  for (const length of [0, 1, 16, whole.length - 2])
    expect(await answerOf(hasty, whole.slice(0, length))).toMatch(/^HTTP\/1\.1 408 /)
})

it('allows them half a minute, with the time until it looks', () => {
  const { headersTimeout, connectionsCheckingInterval } = limits
  expect(headersTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(30_000)
})
