// Virtual machines through the real client of Compute: what each answer comes to, and that nothing is asked twice or waited for.
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { buckets } from '../../host/arm/throttle.ts'
import { lookOf, verdictOf } from '../../shared/azure/machine-answers.ts'
import { createMachines } from '../../shared/azure/machines.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { type ArmOfTests, armPlace, armToken, fastTimes, startArmOfTests } from '../support/arm.ts'
import { makeCertificate, trust } from '../support/certificate.ts'
import { createEntra } from '../support/entra.ts'
import { type Fault, startFaultProxy } from '../support/fault-proxy.ts'

let here: ArmOfTests
afterEach(() => here?.stop())

const one = 'encoder-a-1'
const powerOf = async (name: string) => (await here.machines.look(name))?.power
/** As long as a machine needs to run, or to be gone. */
const afterAWhile = () => here.pass(fastTimes.startMs)

test('a machine is woken and sent to sleep, each by one request that nobody follows', async () => {
  here = await startArmOfTests()
  expect(await here.machines.look(one)).toEqual({ power: 'deallocated' })
  const before = here.proxy.seen.length
  expect(await here.machines.start(one)).toEqual({ is: 'begun' })
  expect(await powerOf(one)).toBe('starting')
  await afterAWhile()
  expect(await powerOf(one)).toBe('running')
  await here.pass(fastTimes.bootMs)
  // As long as a poller would take to ask twice (Retry-After is 1 s).
  await sleep(2500)
  expect(await here.machines.deallocate(one)).toEqual({ is: 'begun' })
  expect(await powerOf(one)).toBe('deallocating')
  await afterAWhile()
  expect(await powerOf(one)).toBe('deallocated')
  const asked = here.seen().slice(before)
  expect(asked.filter((line) => line.startsWith('POST '))).toHaveLength(2)
  expect(asked.filter((line) => line.includes('/operations/'))).toEqual([])
  expect(here.told).toEqual([`${one} waking`, `${one} works`, `${one} stopping`, `${one} asleep`])
})

test('what is as it should be may be asked for again', async () => {
  here = await startArmOfTests()
  expect(await here.machines.deallocate(one)).toEqual({ is: 'begun' })
  expect(await powerOf(one)).toBe('deallocated')
  await here.machines.start(one)
  await afterAWhile()
  expect(await powerOf(one)).toBe('running')
  expect(await here.machines.start(one)).toEqual({ is: 'begun' })
  expect(await powerOf(one)).toBe('running')
})

test('all machines are seen, of every page', async () => {
  const names = Array.from({ length: 7 }, (_, n) => `encoder-a-${n + 1}`)
  here = await startArmOfTests({ names, pageSize: 3 })
  await here.machines.start('encoder-a-5')
  await afterAWhile()
  expect(await powerOf('encoder-a-5')).toBe('running')
  const all = await here.machines.all()
  expect([...all.keys()].sort()).toEqual(names)
  for (const [name, { power }] of all) expect(power).toBe(name === 'encoder-a-5' ? 'running' : 'deallocated')
  expect(here.seen().filter((line) => line.includes('skiptoken'))).toHaveLength(2)
})

test('a list that leads elsewhere is not followed there, and one that never ends is not waited for', async () => {
  const elsewhere = await startFaultProxy('http://127.0.0.1:9', () => ({ status: 200, body: '{"value":[]}' }))
  const nowhere = { status: 200, headers: { 'content-type': 'application/json' } }
  let fault: Fault | undefined
  here = await startArmOfTests({
    pageSize: 1,
    pick: ({ url = '' }) => (fault === 'hang' && !url.includes('skiptoken') ? undefined : fault),
  })
  const local = { url: here.proxy.origin, token: armToken }
  const open = (patienceMs: number) =>
    createMachines({ ...armPlace, clientId: undefined, local }, { clock: systemClock, patienceMs })
  const list = () => open(60_000).all()
  expect((await list()).size).toBe(2)
  fault = { ...nowhere, body: JSON.stringify({ value: [], nextLink: `${elsewhere.origin}/more` }) }
  await expect(list()).rejects.toThrow('elsewhere')
  fault = { status: 307, headers: { location: `${elsewhere.origin}/more` } }
  await expect(list()).rejects.toThrow()
  expect(elsewhere.seen).toEqual([])
  await elsewhere.stop()
  fault = 'hang'
  await expect(open(300).all()).rejects.toThrow()
})

test.each([409, 500])('one that is answered with %i says nothing of the others', async (status) => {
  here = await startArmOfTests({
    pick: ({ url = '' }) => (url.includes(`${one}/instanceView`) ? { status } : undefined),
  })
  expect(Object.fromEntries(await here.machines.all())).toEqual({
    [one]: { power: 'unknown' },
    'encoder-b-1': { power: 'deallocated' },
  })
})

test('one that was looked at too often says nothing of the others', async () => {
  here = await startArmOfTests()
  const before = await here.machines.all()
  expect([...before.values()]).toEqual([{ power: 'deallocated' }, { power: 'deallocated' }])
  await here.fault({ kind: 'throttled', on: 'look', vm: one })
  const after = await here.machines.all()
  expect(Object.fromEntries(after)).toEqual({
    [one]: { power: 'unknown' },
    'encoder-b-1': { power: 'deallocated' },
  })
})

describe('limits', () => {
  for (const what of ['start', 'deallocate'] as const)
    test(`${what} beyond the burst of a machine is for later, and of no other`, async () => {
      here = await startArmOfTests()
      for (let n = 0; n < buckets[what].burst; n++)
        expect((await here.machines[what](one)).is).not.toBe('refused')
      const asked = here.proxy.seen.length
      const answer = await here.machines[what](one)
      expect(answer).toEqual({ is: 'later', waitSeconds: 60 / buckets[what].perMinute })
      // Said after one request: the client repeats nothing.
      expect(here.proxy.seen.length).toBe(asked + 1)
      expect(await here.machines[what]('encoder-b-1')).toEqual({ is: 'begun' })
      const other = what === 'start' ? 'deallocate' : 'start'
      expect(['begun', 'later']).toContain((await here.machines[other](one)).is)
    })

  test('looks beyond theirs throw', async () => {
    here = await startArmOfTests()
    for (let n = 0; n < buckets.look.burst; n++) await here.machines.look(one)
    await expect(here.machines.look(one)).rejects.toMatchObject({ statusCode: 429 })
    expect(await here.machines.look('encoder-b-1')).toEqual({ power: 'deallocated' })
  })
})

describe('of what goes wrong', () => {
  test('a machine that is busy is for later', async () => {
    here = await startArmOfTests()
    expect(await here.machines.start(one)).toEqual({ is: 'begun' })
    expect(await here.machines.start(one)).toEqual({ is: 'later', waitSeconds: 15 })
    expect(await here.machines.deallocate(one)).toEqual({ is: 'later', waitSeconds: 15 })
  })

  test('a throttle says when', async () => {
    here = await startArmOfTests()
    await here.fault({ kind: 'throttled', seconds: 42 })
    expect(await here.machines.start(one)).toEqual({ is: 'later', waitSeconds: 42 })
    expect(await here.machines.start(one)).toEqual({ is: 'begun' })
  })

  test.each(['AllocationFailed', 'ZonalAllocationFailed', 'SkuNotAvailable', 'QuotaExceeded'])(
    'no capacity (%s) is said at once, or by how the machine looks then',
    async (code) => {
      here = await startArmOfTests()
      await here.fault({ kind: 'scarce-now', zone: 'a', code })
      expect(await here.machines.start('encoder-b-1')).toEqual({ is: 'begun' })
      expect(await here.machines.start(one)).toEqual({ is: 'no-capacity', code })
      await here.fault({ kind: 'scarce-later', vm: one, code })
      expect(await here.machines.start(one)).toEqual({ is: 'begun' })
      await afterAWhile()
      expect(await here.machines.look(one)).toEqual({ power: 'deallocated', failure: code })
      expect(await here.machines.start(one)).toEqual({ is: 'begun' })
      await afterAWhile()
      expect(await here.machines.look(one)).toEqual({ power: 'running' })
    },
  )

  test('a machine that is not there is refused, as one in another group or for another token', async () => {
    here = await startArmOfTests()
    expect(await here.machines.start('encoder-a-9')).toEqual({ is: 'refused', code: 'ResourceNotFound' })
    expect(await here.machines.look('encoder-a-9')).toBeUndefined()
    const of = (group: string, token: string) =>
      createMachines(
        { ...armPlace, group, clientId: undefined, local: { url: here.arm.url, token } },
        { clock: systemClock },
      )
    expect(await of('fleet', armToken).start(one)).toEqual({ is: 'begun' })
    expect(await of('other', armToken).start(one)).toEqual({ is: 'refused', code: 'ResourceGroupNotFound' })
    const stranger = of('fleet', 'x'.repeat(40))
    expect(await stranger.start(one)).toEqual({ is: 'refused', code: 'InvalidAuthenticationToken' })
    await expect(stranger.look(one)).rejects.toMatchObject({ statusCode: 401 })
    await expect(stranger.all()).rejects.toMatchObject({ statusCode: 401 })
  })

  const faults: Fault[] = ['reset', 'cut', { status: 500 }, { status: 503 }, { status: 408 }]
  test.each(faults)('no answer (%j) throws, after one try', async (fault) => {
    let strikes = false
    here = await startArmOfTests({ pick: () => (strikes ? fault : undefined) })
    await here.machines.look(one)
    strikes = true
    const asks = [here.machines.start, here.machines.deallocate, here.machines.look]
    for (const ask of asks) {
      // The answer to a POST has no body that could be cut off.
      if (fault === 'cut' && ask !== here.machines.look) continue
      const asked = here.proxy.seen.length
      await expect(ask(one)).rejects.toThrow()
      expect(here.proxy.seen.length).toBe(asked + 1)
    }
    await expect(here.machines.all()).rejects.toThrow()
    strikes = false
    expect(await powerOf(one)).toBeDefined()
  })
})

test('in Azure it is asked over https, with a token for the resource manager', async () => {
  here = await startArmOfTests()
  const certificate = makeCertificate()
  trust(certificate)
  const entra = createEntra()
  const { port } = new URL(here.arm.url)
  // Azure's door: it takes tokens of its Entra ID for itself alone.
  const door = createServer(certificate, (incoming, outgoing) => {
    const [, token = ''] = incoming.headers.authorization?.split(' ') ?? []
    if (!entra.accepts(token, 'https://management.azure.com')) {
      outgoing.writeHead(401).end()
      return
    }
    const headers = { ...incoming.headers, authorization: `Bearer ${armToken}` }
    const { method, url } = incoming
    incoming.pipe(
      request({ port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(outgoing)
      }),
    )
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  try {
    const endpoint = `https://127.0.0.1:${(door.address() as AddressInfo).port}`
    const open = (credential = entra.credential) =>
      createMachines({ ...armPlace, clientId: undefined }, { clock: systemClock, credential, endpoint })
    expect(await open().start(one)).toEqual({ is: 'begun' })
    await afterAWhile()
    expect(await open().look(one)).toEqual({ power: 'running' })
    expect((await open().all()).size).toBe(2)
    expect(new Set(entra.asked)).toEqual(new Set(['https://management.azure.com/.default']))
    expect(await open(createEntra().credential).start(one)).toMatchObject({ is: 'refused' })
  } finally {
    door.closeAllConnections()
    door.close()
    certificate.remove()
  }
})

describe('an answer', () => {
  const nowMs = Date.parse('2026-11-22T12:00:00Z')
  const verdict = (statusCode: number, code: string, retryAfter?: string, message = '') =>
    verdictOf({ statusCode, code, message, response: { headers: { get: () => retryAfter } } }, nowMs)

  test('says when to come back in seconds or by a date, never beyond ten minutes', () => {
    expect(verdict(429, 'OperationNotAllowed', '7')).toEqual({ is: 'later', waitSeconds: 7 })
    expect(verdict(429, 'x', 'Sun, 22 Nov 2026 12:01:30 GMT')).toEqual({ is: 'later', waitSeconds: 90 })
    expect(verdict(429, 'x', 'Sun, 22 Nov 2026 11:00:00 GMT')).toEqual({ is: 'later', waitSeconds: 1 })
    expect(verdict(429, 'x', '86400')).toEqual({ is: 'later', waitSeconds: 600 })
    expect(verdict(429, 'x', '0')).toEqual({ is: 'later', waitSeconds: 1 })
    expect(verdict(429, 'x', 'soon')).toEqual({ is: 'later', waitSeconds: 15 })
    expect(verdict(429, 'x')).toEqual({ is: 'later', waitSeconds: 15 })
  })

  test('of a conflict may mean a quota', () => {
    const message = 'Operation could not be completed as it results in exceeding approved Cores quota.'
    expect(verdict(409, 'OperationNotAllowed', undefined, message)).toEqual({
      is: 'no-capacity',
      code: 'QuotaExceeded',
    })
    expect(verdict(409, 'OperationNotAllowed', '3')).toEqual({ is: 'later', waitSeconds: 3 })
  })

  test('of no kind that decides anything decides nothing', () => {
    for (const status of [500, 502, 503, 504, 408, 302]) expect(verdict(status, 'x')).toBeUndefined()
    expect(verdictOf(new Error('ECONNRESET') as Error & { code: string }, nowMs)).toBeUndefined()
    for (const status of [400, 401, 403, 404, 410])
      expect(verdict(status, 'x')).toEqual({ is: 'refused', code: 'x' })
  })

  test('on how a machine is may leave its power out, or have a failure beside it', () => {
    const looks = (...codes: string[]) => lookOf(codes.map((code) => ({ code })))
    expect(lookOf(undefined)).toEqual({ power: 'unknown' })
    expect(looks('ProvisioningState/updating')).toEqual({ power: 'unknown' })
    expect(looks('ProvisioningState/succeeded', 'PowerState/stopped')).toEqual({ power: 'stopped' })
    expect(looks('PowerState/hibernating')).toEqual({ power: 'unknown' })
    expect(looks('ProvisioningState/failed')).toEqual({ power: 'unknown', failure: 'Failed' })
    expect(looks('ProvisioningState/failed/AllocationFailed', 'PowerState/deallocated')).toEqual({
      power: 'deallocated',
      failure: 'AllocationFailed',
    })
  })
})
