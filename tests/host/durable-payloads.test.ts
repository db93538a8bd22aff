// Values come through activities, sub-orchestrations, events and new generations as they do in Azure.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DurableHost, discard, freshDirectory, startHost } from './durable-host.ts'

let host: DurableHost
const directory = freshDirectory()
beforeAll(async () => {
  host = await startHost(directory)
})
afterAll(async () => {
  await host?.stop()
  discard(directory)
})

const values = [
  'text',
  '',
  '{"json":"text"}',
  'é\n"',
  1,
  -1.5,
  1e21,
  0,
  [1, [null]],
  { a: { b: null } },
  {},
  [],
]

describe('payloads', () => {
  it('come back from an activity as they went in', async () => {
    expect((await host.run('EchoAll', values)).output).toEqual(values)
  })

  it('reach an activity as strings when boolean, as undefined when null (rule 19)', async () => {
    expect((await host.run('KindsOf', [true, false, null, 1, 's', '', [1], {}])).output).toEqual([
      'string',
      'string',
      'undefined',
      'number',
      'string',
      'string',
      'array',
      'object',
      'undefined',
    ])
    expect((await host.run('EchoAll', [true, false, null])).output).toEqual(['True', 'False', null])
  })

  it('leave an activity as base64 when bytes, as null when nothing', async () => {
    expect((await host.run('OddResults')).output).toEqual(['AQID', null])
  })

  it('come through a sub-orchestration as they are', async () => {
    const all = [...values, true, false, null]
    expect((await host.run('ThroughChild', all)).output).toEqual(all)
  })

  it('come through continueAsNew as they are', async () => {
    for (const value of [...values, true, null]) {
      expect((await host.run('ThroughAgain', { round: 0, value })).output).toEqual(value)
    }
    expect((await host.run('StringAgain', 'abc')).output).toBe('abc"{}')
  })

  it('come through events as they are, and in order', async () => {
    const all = [...values, true, null]
    const id = await host.client.startNew('EventValues', { input: all.length })
    for (const value of all) await host.client.raiseEvent(id, 'value', value)
    expect((await host.settled(id)).output).toEqual(all)
  })

  it('start an orchestration as they are; no input is an empty string', async () => {
    for (const input of [...values, true, null])
      expect((await host.run('ReturnsInput', input)).output).toEqual(input)
    expect(await host.run('InputKind')).toMatchObject({ input: '', output: 'string' })
  })
})

describe('errors of activities', () => {
  it('carry a .NET exception behind their message (rule 14)', async () => {
    const text = (await host.run('FailureText')).output as unknown as string
    const [first, second] = text.split(' \n ')
    expect(first).toBe("Activity function 'Boom' failed:  boom x")
    expect(JSON.parse(second!)).toMatchObject({
      $type: 'System.Exception, System.Private.CoreLib',
      Message: ' boom x',
    })
  })

  it('carry their properties where the app describes them', async () => {
    expect((await host.run('Described')).output).toEqual({
      name: 'TaskFailedError',
      message: 'Declined: no money',
      errorType: 'Declined',
      properties: { code: 'card-declined' },
    })
  })
})
