// The local resource manager in this process, with machines whose workers are only noted, and the client of the app.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArmClock } from '../../host/arm/clock.ts'
import type { Schedule } from '../../host/arm/faults.ts'
import type { Times } from '../../host/arm/machines.ts'
import { type Arm, startArm } from '../../host/arm/server.ts'
import { createMachines } from '../../shared/azure/machines.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { Machines } from '../../shared/fleet/ports.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { createHandClock } from './hand-clock.ts'

type Picks = Parameters<typeof startFaultProxy>[1]

export const armToken = 'the token of a resource manager of tests'
export const armPlace = { subscription: '5f7b1f0e-2b7c-4c84-b0a5-5d5f5b1f0e2b', group: 'fleet' }

export interface ArmOfTests {
  readonly arm: Arm
  /** Between the client and the resource manager: all that was asked. */
  readonly proxy: FaultProxy
  readonly machines: Machines
  /** What happened to machines, as `name what`. */
  readonly told: string[]
  readonly seen: () => string[]
  ask(method: string, path: string, options?: { token?: string; body?: unknown }): Promise<Response>
  fault(order: object): Promise<void>
  /** Time passes for the machines, which stands still otherwise. */
  pass(ms: number): Promise<void>
  stop(): Promise<void>
}

interface Options {
  readonly names?: readonly string[]
  readonly times?: Times
  readonly schedule?: Schedule
  readonly pageSize?: number
  /** Instead of one that `pass` moves on. */
  readonly clock?: ArmClock
  readonly pick?: Picks
}

export const fastTimes: Times = { startMs: 30, bootMs: 30, stopMs: 30 }
export const computePath = (name: string, what = ''): string =>
  `/subscriptions/${armPlace.subscription}/resourceGroups/${armPlace.group}/providers/Microsoft.Compute/virtualMachines${name && `/${name}`}${what && `/${what}`}?api-version=2026-04-01`

export async function startArmOfTests({
  names = ['encoder-a-1', 'encoder-b-1'],
  times = fastTimes,
  schedule,
  pageSize = 50,
  clock,
  pick = () => undefined,
}: Options = {}): Promise<ArmOfTests> {
  const directory = await mkdtemp(join(tmpdir(), 'movidone-arm-'))
  const told: string[] = []
  const hand = createHandClock()
  const arm = await startArm({
    ...armPlace,
    ...{
      directory,
      port: 0,
      token: armToken,
      times,
      schedule,
      pageSize,
      mark: directory,
      clock: clock ?? hand,
    },
    planned: names.map((name) => ({ name, size: 'local', zone: name.split('-')[1] ?? '' })),
    guestOf: (_name, tell) => ({ begin: () => tell('works'), end: async () => {}, cut() {} }),
    tell: (name, is) => told.push(`${name} ${is}`),
  })
  const proxy = await startFaultProxy(arm.url, pick)
  const ask: ArmOfTests['ask'] = (method, path, { token = armToken, body } = {}) =>
    fetch(`${arm.url}${path}`, {
      method,
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    arm,
    proxy,
    told,
    ask,
    pass: hand.pass,
    machines: createMachines(
      { ...armPlace, clientId: undefined, local: { url: proxy.origin, token: armToken } },
      { clock: systemClock },
    ),
    seen: () => proxy.seen.map(({ method, url }) => `${method} ${url}`),
    async fault(order) {
      const reply = await ask('POST', '/faults', { body: order })
      if (reply.status !== 201) throw new Error(await reply.text())
    },
    async stop() {
      await proxy.stop()
      await arm.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
