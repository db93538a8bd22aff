// The local resource manager: what it answers, what it refuses by name, and what goes wrong when it is told to.
import { ComputeManagementClient } from '@azure/arm-compute'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/arm/clock.ts'
import { createThrottle } from '../../host/arm/throttle.ts'
import {
  type ArmOfTests,
  armPlace,
  armToken,
  computePath,
  fastTimes,
  startArmOfTests,
} from '../support/arm.ts'

let here: ArmOfTests
afterEach(() => here?.stop())

const one = 'encoder-a-1'
const other = 'encoder-b-1'
const codesOf = async (name: string): Promise<string[]> => {
  const reply = await here.ask('GET', computePath(name, 'instanceView'))
  const { statuses } = (await reply.json()) as { statuses: Array<{ code: string }> }
  return statuses.map(({ code }) => code)
}
const codeOf = async (reply: Response) => ((await reply.json()) as { error: { code: string } }).error.code

describe('an operation', () => {
  it('is followed to its end by the real poller', async () => {
    here = await startArmOfTests({ times: { startMs: 400, bootMs: 0, stopMs: 0 }, clock: systemClock })
    const credential = { getToken: async () => ({ token: armToken, expiresOnTimestamp: 8e15 }) }
    const client = new ComputeManagementClient(credential, armPlace.subscription, {
      endpoint: here.arm.url,
      allowInsecureConnection: true,
    })
    client.pipeline.removePolicy({ name: 'bearerTokenAuthenticationPolicy' })
    client.pipeline.addPolicy({
      name: 'token',
      sendRequest(request, next) {
        request.headers.set('authorization', `Bearer ${armToken}`)
        return next(request)
      },
    })
    const { virtualMachines } = client
    await virtualMachines.start(armPlace.group, one)
    expect(await codesOf(one)).toEqual(['ProvisioningState/succeeded', 'PowerState/running'])
    await here.fault({ kind: 'scarce-later', vm: other, code: 'ZonalAllocationFailed' })
    await expect(virtualMachines.start(armPlace.group, other)).rejects.toThrow('ZonalAllocationFailed')
    expect(await codesOf(other)).toEqual([
      'ProvisioningState/failed/ZonalAllocationFailed',
      'PowerState/deallocated',
    ])
    expect(here.told.filter((line) => line.startsWith(other))).toEqual([`${other} waking`, `${other} scarce`])
  })

  it('has two addresses, of its state and of its answer', async () => {
    here = await startArmOfTests({ times: { startMs: 300, bootMs: 0, stopMs: 0 } })
    const begun = await here.ask('POST', computePath(one, 'start'))
    expect(begun.status).toBe(202)
    const [state = '', answer = ''] = ['azure-asyncoperation', 'location'].map((name) =>
      (begun.headers.get(name) ?? '').replace(here.arm.url, ''),
    )
    const statusOf = async () => ((await (await here.ask('GET', state)).json()) as { status: string }).status
    expect(await statusOf()).toBe('InProgress')
    expect((await here.ask('GET', answer)).status).toBe(202)
    expect(await codesOf(one)).toEqual(['ProvisioningState/updating', 'PowerState/starting'])
    await here.pass(299)
    expect(await statusOf()).toBe('InProgress')
    await here.pass(1)
    expect(await statusOf()).toBe('Succeeded')
    expect((await here.ask('GET', answer)).status).toBe(200)
    expect((await here.ask('GET', state.replace(/[0-9a-f]{8}-/, '00000000-'))).status).toBe(404)
  })

  it('keeps others off its machine until it is over, and off no other', async () => {
    here = await startArmOfTests({ times: { startMs: 300, bootMs: 0, stopMs: 300 } })
    await here.ask('POST', computePath(one, 'start'))
    for (const what of ['start', 'deallocate']) {
      const reply = await here.ask('POST', computePath(one, what))
      expect([reply.status, await codeOf(reply)]).toEqual([409, 'Conflict'])
    }
    expect((await here.ask('POST', computePath(other, 'start'))).status).toBe(202)
    await here.pass(300)
    expect(await codesOf(one)).toContain('PowerState/running')
    expect((await here.ask('POST', computePath(one, 'deallocate'))).status).toBe(202)
  })
})

describe('a request', () => {
  it('needs the token, a version, and a subscription and group that are here', async () => {
    here = await startArmOfTests()
    const path = computePath(one, 'instanceView')
    expect((await here.ask('GET', path)).status).toBe(200)
    for (const token of ['', 'x', `${armToken}x`]) {
      const reply = await here.ask('GET', path, { token })
      expect([reply.status, await codeOf(reply)]).toEqual([401, 'InvalidAuthenticationToken'])
      expect(reply.headers.get('www-authenticate')).toBe('Bearer')
      expect((await here.ask('POST', '/faults', { token, body: { kind: 'away' } })).status).toBe(401)
    }
    for (const [wrong, status, code] of [
      [path.replace(/\?.*/, ''), 400, 'MissingApiVersionParameter'],
      [path.replace(armPlace.subscription, 'another'), 404, 'SubscriptionNotFound'],
      [path.replace('/fleet/', '/another/'), 404, 'ResourceGroupNotFound'],
      [path.replace(one, 'encoder-a-7'), 404, 'ResourceNotFound'],
    ] as const) {
      const reply = await here.ask('GET', wrong)
      expect([reply.status, await codeOf(reply)]).toEqual([status, code])
    }
    // As Azure has it, names are the same in capital letters.
    const loud = path.replace('resourceGroups', 'RESOURCEGROUPS').replace('/fleet/', '/FLEET/')
    expect((await here.ask('GET', loud)).status).toBe(200)
  })

  it('that is not one of the fleet’s is refused by its name', async () => {
    here = await startArmOfTests()
    const asked: Array<[method: string, path: string]> = [
      ['GET', computePath(one)],
      ['PUT', computePath(one)],
      ['PATCH', computePath(one)],
      ['DELETE', computePath(one)],
      ['POST', computePath(one, 'restart')],
      ['POST', computePath(one, 'powerOff')],
      ['GET', computePath(one, 'start')],
      ['POST', computePath('')],
      ['GET', computePath(one, 'virtualMachines')],
      ['POST', `${computePath(one, 'deallocate')}&hibernate=true`],
      ['POST', `${computePath(one, 'deallocate')}&forceDeallocate=true`],
      ['GET', `${computePath('')}&$filter=x`],
      ['GET', '/subscriptions?api-version=2026-04-01'],
      ['GET', computePath(one, 'instanceView').replace('Compute', 'Network')],
      ['GET', '/'],
    ]
    for (const [method, path] of asked) {
      const reply = await here.ask(method, path)
      expect([method, path, reply.status, await codeOf(reply)]).toEqual([method, path, 501, 'NotImplemented'])
    }
    expect(here.told).toEqual([])
    // Azure expands lists of machines in scale sets alone.
    expect((await here.ask('GET', `${computePath('')}&$expand=instanceView`)).status).toBe(400)
    expect((await here.ask('GET', computePath(''))).status).toBe(200)
  })
})

describe('a limit', () => {
  it('lets the burst through at once, then by the minute, each machine and kind for itself', () => {
    let nowMs = 0
    const pass = createThrottle(() => nowMs)
    const passes = (bucket: 'start' | 'deallocate' | 'look', machine = 'a'): boolean => {
      try {
        pass(bucket, machine)
        return true
      } catch {
        return false
      }
    }
    const many = (count: number, bucket: 'start' | 'look') =>
      Array.from({ length: count }, () => passes(bucket)).filter(Boolean).length
    expect(many(20, 'start')).toBe(12)
    expect(passes('deallocate')).toBe(true)
    expect(passes('start', 'b')).toBe(true)
    nowMs += 14_000
    expect(passes('start')).toBe(false)
    nowMs += 1000
    expect(many(2, 'start')).toBe(1)
    nowMs += 60_000
    expect(many(20, 'start')).toBe(4)
    nowMs += 3_600_000
    expect(many(20, 'start')).toBe(12)
    expect(many(50, 'look')).toBe(36)
    nowMs += 60_000
    expect(many(50, 'look')).toBe(12)
  })
})

describe('a fault', () => {
  it('is refused where it makes no sense', async () => {
    here = await startArmOfTests()
    for (const body of [
      {},
      [],
      'dies',
      { kind: 'nope' },
      { kind: 'dies' },
      { kind: 'busy', times: 0 },
      { kind: 'busy', on: 'look' },
      { kind: 'busy', seconds: 'x' },
      { kind: 'busy', more: 1 },
      { kind: 'dies', vm: one },
    ])
      expect((await here.ask('POST', '/faults', { body })).status).toBe(400)
    expect((await here.ask('POST', '/faults', { body: { kind: 'busy' } })).status).toBe(201)
    expect(await (await here.ask('GET', '/faults')).json()).toEqual({
      value: [{ kind: 'busy', on: 'start', times: 1 }],
    })
    expect((await here.ask('DELETE', '/faults')).status).toBe(204)
    expect((await here.ask('POST', computePath(one, 'start'))).status).toBe(202)
  })

  it('strikes as often as it says, where it says', async () => {
    here = await startArmOfTests()
    await here.fault({ kind: 'scarce-now', zone: 'a', times: 2 })
    await here.fault({ kind: 'busy', on: 'deallocate', vm: other })
    const start = async (name: string) => (await here.ask('POST', computePath(name, 'start'))).status
    expect([await start(one), await start(other), await start(one), await start(one)]).toEqual([
      409, 202, 409, 202,
    ])
    expect(here.told.filter((line) => line.endsWith(' scarce'))).toEqual([`${one} scarce`, `${one} scarce`])
    await here.pass(fastTimes.startMs)
    expect(await codesOf(other)).toContain('PowerState/running')
    const sleepAgain = async () => (await here.ask('POST', computePath(other, 'deallocate'))).status
    expect([await sleepAgain(), await sleepAgain()]).toEqual([409, 202])
  })

  it('may hang an operation, or leave a machine without its worker, or with a late one', async () => {
    here = await startArmOfTests({ names: [one, other, 'encoder-c-1'] })
    await here.fault({ kind: 'hangs', vm: one, seconds: 0.6 })
    await here.fault({ kind: 'no-boot', vm: other })
    await here.fault({ kind: 'slow-boot', vm: 'encoder-c-1', seconds: 0.6 })
    for (const name of [one, other, 'encoder-c-1']) await here.ask('POST', computePath(name, 'start'))
    await here.pass(599)
    expect(await codesOf(one)).toEqual(['ProvisioningState/updating', 'PowerState/starting'])
    expect(await codesOf(other)).toEqual(['ProvisioningState/succeeded', 'PowerState/running'])
    expect(await codesOf('encoder-c-1')).toEqual(['ProvisioningState/succeeded', 'PowerState/running'])
    expect(here.told.filter((line) => line.endsWith(' works'))).toEqual([])
    await here.pass(1)
    expect(await codesOf(one)).toEqual([
      'ProvisioningState/failed/InternalExecutionError',
      'PowerState/deallocated',
    ])
    await here.pass(fastTimes.startMs)
    expect(here.told).toContain('encoder-c-1 works')
    await here.pass(3_600_000)
    expect(here.told).not.toContain(`${other} works`)
    // A deallocation that fails leaves a machine that runs, and is paid for.
    await here.fault({ kind: 'hangs', on: 'deallocate', vm: other, seconds: 0.2 })
    await here.ask('POST', computePath(other, 'deallocate'))
    expect(await codesOf(other)).toContain('PowerState/deallocating')
    await here.pass(200)
    expect(await codesOf(other)).toContain('PowerState/running')
  })

  it('may take a worker, a machine, or all of it away', async () => {
    here = await startArmOfTests()
    for (const name of [one, other]) await here.ask('POST', computePath(name, 'start'))
    await here.pass(fastTimes.startMs + fastTimes.bootMs)
    for (const name of [one, other]) expect(here.told).toContain(`${name} works`)
    await here.fault({ kind: 'dies', vm: one })
    expect(await codesOf(one)).toContain('PowerState/running')
    await here.fault({ kind: 'evicted', vm: other })
    expect(await codesOf(other)).toContain('PowerState/deallocated')
    await here.fault({ kind: 'away', seconds: 0.4 })
    expect((await here.ask('GET', computePath(one, 'instanceView'))).status).toBe(503)
    await here.pass(400)
    expect((await here.ask('GET', computePath(one, 'instanceView'))).status).toBe(200)
  })

  it('of a schedule is the same for the same seed, and others for another', async () => {
    const drawn = async (seed: number) => {
      here = await startArmOfTests({
        times: { ...fastTimes, startMs: 0, stopMs: 0 },
        schedule: { seed, chances: { 'scarce-now': 0.3, throttled: 0.2 } },
      })
      const answers: string[] = []
      for (let n = 0; n < 10; n++)
        for (const name of [one, other]) {
          answers.push((await here.machines.start(name)).is)
          await here.pass(0)
          expect((await codesOf(name))[0]).toBe('ProvisioningState/succeeded')
          await here.machines.deallocate(name)
          await here.pass(0)
          expect((await codesOf(name))[1]).toBe('PowerState/deallocated')
        }
      await here.stop()
      return answers
    }
    const [first, again, another] = [await drawn(7), await drawn(7), await drawn(8)]
    expect(again).toEqual(first)
    expect(another).not.toEqual(first)
    for (const is of ['begun', 'no-capacity', 'later']) expect(first).toContain(is)
  })
})
