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
  /** For any one answer. */
  readonly patienceMs?: number
}

const azure = 'https://management.azure.com'
const usualPatienceMs = 20_000
/** The resource manager gives a subscription 25 reads a second. */
const looksAtOnce = 3

/** Opens nothing before the first use. */
export function createMachines(config: FleetConfig['arm'], deps: MachinesDeps): Machines {
  const { group } = config
  const open = lazy(() => connect(config, deps))

  /** The poller is left alone once its first request was answered: to await it would be to poll. */
  async function ask(what: 'start' | 'deallocate', vm: string): Promise<Asked> {
    const { virtualMachines } = await open()
    try {
      await virtualMachines[what](group, vm).submitted()
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
      return lookOf((await virtualMachines.instanceView(group, vm)).statuses)
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
      for await (const { name } of virtualMachines.list(group)) if (name) names.push(name)
      const looks = new Map<string, MachineLook>()
      const waiting = names.values()
      const lookOn = async () => {
        for (const name of waiting) {
          const found = await look(name).catch(unclear)
          if (found) looks.set(name, found)
        }
      }
      await Promise.all(Array.from({ length: looksAtOnce }, lookOn))
      return looks
    },
  }
}

/** One that was asked for too often, or that the service itself can't tell of, says nothing of the others. */
function unclear(error: unknown): MachineLook {
  const { statusCode = 0 } = error as ArmFailure
  if (statusCode === 429 || statusCode === 409 || statusCode >= 500) return { power: 'unknown' }
  throw error
}

/** The SDK follows the next page of a list wherever it leads, token in hand, and waits for it without end. */
function keepWithin(
  client: ComputeManagementClient,
  { endpoint, patienceMs }: { endpoint: string; patienceMs: number },
): void {
  const { origin } = new URL(endpoint)
  client.pipeline.addPolicy(
    {
      name: 'own-origin',
      async sendRequest(request, next) {
        if (new URL(request.url).origin !== origin) throw new Error('the resource manager led elsewhere')
        request.timeout = patienceMs
        return next(request)
      },
    },
    // After the policy that follows redirections.
    { afterPhase: 'Sign' },
  )
}

async function connect(
  { subscription, clientId, local }: FleetConfig['arm'],
  deps: MachinesDeps,
): Promise<ComputeManagementClient> {
  const { ComputeManagementClient } = await import('@azure/arm-compute')
  const endpoint = local?.url ?? deps.endpoint ?? azure
  const bounds = { endpoint, patienceMs: deps.patienceMs ?? usualPatienceMs }
  // Whoever asks repeats, on a timer that costs nothing: to sleep here would be paid for.
  const options = { endpoint, retryOptions: { maxRetries: 0 } }
  if (!local) {
    const credential = deps.credential ?? (await entraCredential(clientId))
    const client = new ComputeManagementClient(credential, subscription, options)
    keepWithin(client, bounds)
    return client
  }
  const { token } = local
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) }
  const client = new ComputeManagementClient(credential, subscription, {
    ...options,
    allowInsecureConnection: true,
  })
  keepWithin(client, bounds)
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
