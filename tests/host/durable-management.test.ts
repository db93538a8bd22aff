// The management API answers as the Durable extension does, and names what this engine leaves out.
import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

let host: DurableHost
let webhooks: string
const directory = freshDirectory()
beforeAll(async () => {
  host = await startHost(directory)
  webhooks = `${host.origin}/runtime/webhooks/durabletask`
})
afterAll(async () => {
  // Activities that would take minutes are under way.
  await host?.kill()
  discard(directory)
})

interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all shapes are looked at
  body: any
}

async function ask(
  method: string,
  url: string,
  options: { body?: string; headers?: Record<string, string> } = {},
) {
  const headers = { 'content-type': 'application/json', ...options.headers }
  const answer = await fetch(url, {
    method,
    headers,
    ...(options.body === undefined ? {} : { body: options.body }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text && JSON.parse(text) } as Answer
}

const start = (path: string, body = 'null') => ask('POST', `${webhooks}/orchestrators/${path}`, { body })

describe('start', () => {
  it('answers 202 with links in the real order, and they work', async () => {
    const { status, headers, body } = await start('Approval', '{"code":1,"tries":1,"limitMs":600000}')
    expect(status).toBe(202)
    expect(Object.keys(body)).toEqual([
      ...['id', 'statusQueryGetUri', 'sendEventPostUri', 'terminatePostUri', 'purgeHistoryDeleteUri'],
      ...['restartPostUri', 'suspendPostUri', 'resumePostUri'],
    ])
    expect(body.id).toMatch(/^[0-9a-f]{32}$/)
    expect([headers.get('location'), headers.get('retry-after')]).toEqual([body.statusQueryGetUri, '10'])
    expect(body.statusQueryGetUri).toMatch(/\?taskHub=UnderTest&connection=Storage&code=/)
    const sent = await ask('POST', body.sendEventPostUri.replace('{eventName}', 'answer'), { body: '1' })
    expect(sent).toMatchObject({ status: 202, body: '' })
    expect((await host.settled(body.id)).output).toBe('approved')
    expect((await ask('GET', body.statusQueryGetUri)).body.output).toBe('approved')
  })

  it('waits as long as it is asked to', async () => {
    const done = await start('Chain?timeout=100&pollingInterval=0.1')
    expect(done).toMatchObject({ status: 200, body: ['Hello, Paris!', 'Hello, Lyon!', 'Hello, Nice!'] })
    expect(await start('YieldsNumber?timeout=100&pollingInterval=0.1')).toMatchObject({
      status: 200,
      body: { runtimeStatus: 'Failed' },
    })
    expect((await start('ForgottenTimer?timeout=0.3&pollingInterval=0.1', '600000')).status).toBe(202)
  })

  it('refuses an id in use, and takes it again once its instance has ended', async () => {
    const path = 'IntegerEvent/taken'
    expect((await start(path, '"go"')).status).toBe(202)
    await host.settled('taken', ({ runtimeStatus }) => runtimeStatus === 'Running')
    expect(await start(path, '"go"')).toMatchObject({
      status: 409,
      body: { Message: 'An Orchestration instance with the status Running already exists.' },
    })
    await host.client.terminate('taken', 'enough')
    await host.settled('taken')
    expect((await start(path, '"later"')).status).toBe(202)
    await host.client.raiseEvent('taken', 'later', 1)
    expect((await host.settled('taken')).output).toBe('raised')
  })

  it('refuses what is not JSON, and ids that the real store cannot hold', async () => {
    expect(await start('Chain', 'nonsense')).toMatchObject({
      status: 400,
      body: { Message: 'Invalid JSON content' },
    })
    for (const id of ['@one', 'a%2Fb', 'a%23b', 'x'.repeat(101)])
      expect((await start(`Chain/${id}`)).status).toBe(400)
    expect((await start(`Chain/${'x'.repeat(100)}`)).status).toBe(202)
  })

  it('takes an empty body and fails the instance, as the real host does, but says why', async () => {
    const { status, body } = await start('Chain', '')
    expect(status).toBe(202)
    const { runtimeStatus, output } = await host.client.getStatus(body.id)
    expect(runtimeStatus).toBe('Failed')
    expect(output).toMatch(
      /^Orchestrator function 'Chain' failed: One or more errors occurred\. .* had no body/,
    )
  })
})

describe('status', () => {
  it('shows fields in the real order and precision, and 202 while it runs', async () => {
    await start('CustomStatus/shown', '{"a":1}')
    await host.settled('shown', ({ customStatus }) => customStatus === 'first')
    const url = `${webhooks}/instances/shown?taskHub=undertest`
    const running = await ask('GET', url)
    expect([running.status, running.headers.get('location'), running.headers.get('retry-after')]).toEqual([
      202,
      url,
      '5',
    ])
    expect(Object.keys(running.body)).toEqual([
      ...[
        'name',
        'instanceId',
        'runtimeStatus',
        'input',
        'customStatus',
        'output',
        'createdTime',
        'lastUpdatedTime',
      ],
    ])
    expect(running.body).toMatchObject({
      runtimeStatus: 'Running',
      input: { a: 1 },
      customStatus: 'first',
      output: null,
    })
    expect(running.body.createdTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect((await ask('GET', `${url}&showInput=false`)).body.input).toBeNull()
    await host.client.terminate('shown', 'enough')
    await host.settled('shown')
    expect(await ask('GET', url)).toMatchObject({
      status: 200,
      body: { runtimeStatus: 'Terminated', output: 'enough' },
    })
  })

  it('shows the history as the extension does', async () => {
    const { instanceId } = await host.run('Retry', { failures: 1, attempts: 2 })
    const url = `${host.rpc}/instances/${instanceId}?showHistory=true`
    const shown = (await ask('GET', `${url}&showHistoryOutput=true`)).body.historyEvents
    expect(shown.map(({ EventType }: { EventType: string }) => EventType)).toEqual([
      ...[
        'ExecutionStarted',
        'TaskFailed',
        'TimerCreated',
        'TimerFired',
        'TaskCompleted',
        'ExecutionCompleted',
      ],
    ])
    expect(shown[0]).toMatchObject({ Input: '{"failures":1,"attempts":2}', FunctionName: 'Retry' })
    expect(shown[1]).toMatchObject({
      FunctionName: 'Flaky',
      Reason: "Activity function 'Flaky' failed:  attempt 1 failed",
    })
    expect(shown[4]).toMatchObject({ FunctionName: 'Flaky', Result: 2, Input: null })
    expect(shown[4].Timestamp).toMatch(/\.\d{7}Z$/)
    expect(shown[4].ScheduledTime).toMatch(/\.\d{7}\+00:00$/)
    expect(shown[5]).toMatchObject({ OrchestrationStatus: 'Completed', Result: 2, FailureDetails: null })
    const hidden = (await ask('GET', `${url}&showInput=false`)).body.historyEvents
    expect([hidden[0].Input, hidden[4].Result, 'Input' in hidden[4]]).toEqual([undefined, undefined, false])
  })

  it('answers 500 for a failed instance only when asked to', async () => {
    const { instanceId } = await host.run('YieldsNumber')
    const url = `${host.rpc}/instances/${instanceId}`
    expect((await ask('GET', url)).status).toBe(200)
    const failed = await ask('GET', `${url}?returnInternalServerErrorOnFailure=true`)
    expect(failed).toMatchObject({ status: 500, body: { runtimeStatus: 'Failed' } })
  })
})

describe('events and terminate', () => {
  it('answers 404 for the unknown, 410 for the ended, 400 for what is not JSON', async () => {
    const { instanceId } = await host.run('Chain')
    const raise = (id: string, body: string, type = 'application/json') =>
      ask('POST', `${webhooks}/instances/${id}/raiseEvent/go`, { body, headers: { 'content-type': type } })
    expect([(await raise('nobody', '1')).status, (await raise(instanceId, '1')).status]).toEqual([404, 410])
    for (const body of ['', '{'])
      expect((await raise(instanceId, body)).body.Message).toBe('Invalid JSON content')
    expect((await raise(instanceId, '1', 'text/plain')).body.Message).toBe(
      'Only application/json request content is supported',
    )
    const terminate = (id: string) => ask('POST', `${webhooks}/instances/${id}/terminate?reason=x`)
    expect([(await terminate('nobody')).status, (await terminate(instanceId)).status]).toEqual([404, 410])
  })

  it('ends at once, whatever is still open', async () => {
    const id = await host.client.startNew('Timeout', { input: { workMs: 600_000, limitMs: 600_000 } })
    await host.settled(id, ({ runtimeStatus }) => runtimeStatus === 'Running')
    await host.client.terminate(id, 'for a reason')
    expect(await host.settled(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'for a reason' })
  })
})

describe('what is not supported', () => {
  const operations: [string, string, string][] = [
    ['POST', 'instances/x/suspend?reason=r', 'suspend'],
    ['POST', 'instances/x/resume?reason=r', 'resume'],
    ['POST', 'instances/x/restart', 'restart'],
    ['GET', 'instances', 'Listing instances'],
    ['GET', 'instances/', 'Listing instances'],
    ['DELETE', 'instances?createdTimeFrom=2026-01-01', 'Purging instances'],
    ['DELETE', 'instances/x', 'Purging an instance'],
    ['GET', 'entities', 'An entity operation'],
    ['POST', 'entities/counter/one?op=add', 'An entity operation'],
  ]
  it.each(operations)('answers 501 to %s %s', async (method, path, name) => {
    for (const base of [webhooks, host.rpc]) {
      const { status, body } = await ask(method, `${base}/${path}`)
      expect([status, body.Message]).toEqual([501, expect.stringContaining(`${name} is not supported`)])
    }
  })

  it('reaches the client as an error that names it', async () => {
    const id = await host.client.startNew('CustomStatus')
    await expect(host.client.rewind(id, 'why')).rejects.toThrow('rewind is not supported')
    await expect(host.client.suspend(id, 'why')).rejects.toThrow(/501.*suspend is not supported/)
    await expect(host.client.getStatusAll()).rejects.toThrow(/501.*Listing/)
    await expect(host.client.purgeInstanceHistory(id)).rejects.toThrow(/501.*Purging/)
  })

  it('answers 404 to what the extension does not know either', async () => {
    for (const [method, path] of [
      ['PUT', 'instances/x'],
      ['GET', 'orchestrators/Chain'],
      ['GET', ''],
      ['POST', 'a/b/c/d'],
    ])
      expect((await ask(method!, `${webhooks}/${path}`)).status).toBe(404)
    expect((await ask('GET', `${webhooks}/instances/shown?taskHub=Other`)).status).toBe(404)
  })
})

describe('who may ask', () => {
  const status = (base: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      get(`${base}/instances/shown`, { headers }, (answer) => resolve(answer.resume().statusCode)).on(
        'error',
        reject,
      )
    })
  const strangers = [
    { origin: 'https://example.org' },
    { host: 'example.org' },
    { 'x-forwarded-for': '203.0.113.9' },
  ]

  it('takes programs on this machine; pages, foreign names and proxies need the key', async () => {
    const binding = (await (await fetch(`${host.origin}/api/binding`)).json()) as {
      requiredQueryStringParameters: string
    }
    const key = binding.requiredQueryStringParameters.replace('code=', '')
    expect([await status(host.rpc, {}), await status(webhooks, {})]).toEqual([200, 200])
    for (const stranger of strangers as Record<string, string>[]) {
      expect(await status(webhooks, stranger)).toBe(401)
      expect(await status(webhooks, { ...stranger, 'x-functions-key': `${key}x` })).toBe(401)
      expect(await status(webhooks, { ...stranger, 'x-functions-key': key })).toBe(200)
      expect(await status(host.rpc, { ...stranger, 'x-functions-key': key })).toBe(403)
    }
  })
})

describe('a second process', () => {
  it('is told that the folder is in use, and changes nothing', async () => {
    await expect(startHost(directory)).rejects.toThrow(/durable\.sqlite is in use by another process/)
    expect((await host.run('Chain')).runtimeStatus).toBe('Completed')
  })
})
