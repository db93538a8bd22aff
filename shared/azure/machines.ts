// The fleet's virtual machines by Azure's resource manager: each call is one request, and nothing is waited for.
import type { ComputeManagementClient } from '@azure/arm-compute'
import type { TokenCredential } from '@azure/identity'
import type { FleetConfig } from '../config/fleet.ts'
import type { Clock } from '../core/clock.ts'
import { lazy } from '../core/lazy.ts'
import type { Asked, MachineLook, Machines } from '../fleet/ports.ts'
import { entraCredential } from './credential.ts'
import { type ArmFailure, lookOf, verdictOf } from './machine-answers.ts'

export interface MachinesDeps {
  readonly clock: Clock
  /** Instead of the identity that the configuration names. */
  readonly credential?: TokenCredential
  /** Instead of Azure's own, for its test over https. */
  readonly endpoint?: string
}

const patienceMs = 20_000
/** The resource manager gives a subscription 25 reads a second. */
const looksAtOnce = 3

/** Opens nothing before the first use. */
export function createMachines(config: FleetConfig['arm'], deps: MachinesDeps): Machines {
  const { group } = config
  const open = lazy(() => connect(config, deps))
  const patience = () => ({ abortSignal: AbortSignal.timeout(patienceMs) })

  /** The poller is left alone once its first request was answered: to await it would be to poll. */
  async function ask(what: 'start' | 'deallocate', vm: string): Promise<Asked> {
    const { virtualMachines } = await open()
    try {
      await virtualMachines[what](group, vm, patience()).submitted()
      return { is: 'begun' }
    } catch (error) {
      const verdict = verdictOf(error as ArmFailure, deps.clock.now())
      if (verdict) return verdict
      throw error
    }
  }

  async function look(vm: string): Promise<MachineLook | undefined> {
    const { virtualMachines } = await open()
    try {
      return lookOf((await virtualMachines.instanceView(group, vm, patience())).statuses)
    } catch (error) {
      if ((error as ArmFailure).statusCode === 404) return undefined
      throw error
    }
  }

  return {
    start: (vm) => ask('start', vm),
    deallocate: (vm) => ask('deallocate', vm),
    look,

    /** The list has no instance views: its `$expand` is only for machines of a scale set. */
    async all() {
      const { virtualMachines } = await open()
      const names: string[] = []
      for await (const { name } of virtualMachines.list(group, patience())) if (name) names.push(name)
      const looks = new Map<string, MachineLook>()
      const waiting = names.values()
      const lookOn = async () => {
        for (const name of waiting) {
          const found = await look(name).catch(throttled)
          if (found) looks.set(name, found)
        }
      }
      await Promise.all(Array.from({ length: looksAtOnce }, lookOn))
      return looks
    },
  }
}

/** One that was asked for too often says nothing of the others. */
function throttled(error: unknown): MachineLook {
  if ((error as ArmFailure).statusCode === 429) return { power: 'unknown' }
  throw error
}

async function connect(
  { subscription, clientId, local }: FleetConfig['arm'],
  deps: MachinesDeps,
): Promise<ComputeManagementClient> {
  const { ComputeManagementClient } = await import('@azure/arm-compute')
  // Whoever asks repeats, on a timer that costs nothing: to sleep here would be paid for.
  const options = { retryOptions: { maxRetries: 0 } }
  if (!local) {
    const credential = deps.credential ?? (await entraCredential(clientId))
    return new ComputeManagementClient(credential, subscription, {
      ...options,
      ...(deps.endpoint ? { endpoint: deps.endpoint } : {}),
    })
  }
  const { url, token } = local
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) }
  const client = new ComputeManagementClient(credential, subscription, {
    ...options,
    endpoint: url,
    allowInsecureConnection: true,
  })
  // The SDK's own policy sends no token by plain http, which on loopback is what there is.
  client.pipeline.removePolicy({ name: 'bearerTokenAuthenticationPolicy' })
  client.pipeline.addPolicy({
    name: 'local-token',
    sendRequest(request, next) {
      request.headers.set('authorization', `Bearer ${token}`)
      return next(request)
    },
  })
  return client
}
