// How a worker's report is heard: said with its credential, said again while nobody takes it, and not when that would not help.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTell } from '../../worker/tell.ts'

const heard: Array<{ method?: string; url?: string; authorization?: string; body: unknown }> = []
let status = 204
const server = createServer(async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const { method = '', url = '', headers } = request
  const body: unknown = JSON.parse(Buffer.concat(parts).toString())
  heard.push({ method, url, authorization: headers.authorization ?? '', body })
  response.writeHead(status).end()
})
let fleetUrl: string

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  fleetUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const say = () => createTell({ credential: () => 'node.secret', fleetUrl })('job.1', 3, { outcome: 'done' })

test('a report is one request with the credential of the node', async () => {
  expect(await say()).toBe('heard')
  expect(heard).toEqual([
    {
      method: 'POST',
      url: '/api/v1/fleet/units/job.1',
      authorization: 'Bearer node.secret',
      body: { claim: 3, outcome: 'done' },
    },
  ])
})

test.each([400, 401, 404, 409])('%i is the last word', async (refusal) => {
  status = refusal
  expect(await say()).toBe('refused')
})

test.each([408, 429, 500, 503])('%i passes: it is to be said again', async (passing) => {
  status = passing
  await expect(say()).rejects.toThrow(String(passing))
})

test('nobody there: it is to be said again', async () => {
  const nowhere = createTell({ credential: () => 'node.secret', fleetUrl: 'http://127.0.0.1:9' })
  await expect(nowhere('job.1', 3, {})).rejects.toThrow()
})
