// What the resource manager's answers mean: to a request to start or stop a machine, and of how one is.
import type { Asked, MachineLook, Power } from '../fleet/ports.ts'

/** As the SDK throws it: the answer's status, and the service's own name of the error. */
export interface ArmFailure {
  readonly statusCode?: number
  readonly code?: string
  readonly message?: string
  readonly response?: { readonly headers: { get(name: string): string | undefined } }
}

export interface InstanceStatus {
  readonly code?: string
}

/** Not this machine, not now: others of another size or zone may do. */
const scarce = new Set([
  'AllocationFailed',
  'ZonalAllocationFailed',
  'OverconstrainedAllocationRequest',
  'OverconstrainedZonalAllocationRequest',
  'SkuNotAvailable',
  'QuotaExceeded',
])
const usualWaitSeconds = 15
const longestWaitSeconds = 600

/** Undefined where nothing was decided: no answer, or one of a service in trouble. */
export function verdictOf(failure: ArmFailure, nowMs: number): Asked | undefined {
  const { statusCode = 0, code = String(statusCode), message = '' } = failure
  if (scarce.has(code)) return { is: 'no-capacity', code }
  // A quota that is used up comes under the name of a machine that is busy.
  if (statusCode === 409 && /\bquota\b/i.test(message)) return { is: 'no-capacity', code: 'QuotaExceeded' }
  if (statusCode === 429 || statusCode === 409)
    return { is: 'later', waitSeconds: waitOf(failure.response?.headers.get('retry-after'), nowMs) }
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408) return { is: 'refused', code }
  return undefined
}

/** Seconds or a date (RFC 9110 10.2.3). */
function waitOf(retryAfter: string | undefined, nowMs: number): number {
  if (!retryAfter) return usualWaitSeconds
  const seconds = Number(retryAfter)
  const wait = Number.isNaN(seconds) ? (Date.parse(retryAfter) - nowMs) / 1000 : seconds
  if (Number.isNaN(wait)) return usualWaitSeconds
  return Math.min(Math.max(Math.ceil(wait), 1), longestWaitSeconds)
}

const powers: readonly Power[] = ['starting', 'running', 'stopping', 'stopped', 'deallocating', 'deallocated']

/** While a machine changes its state, that of its power may be left out. */
export function lookOf(statuses: readonly InstanceStatus[] = []): MachineLook {
  const [, state] = find(statuses, /^PowerState\/(.+)$/) ?? []
  const power = powers.find((one) => one === state) ?? 'unknown'
  const failed = find(statuses, /^ProvisioningState\/failed(?:\/(.+))?$/)
  return failed ? { power, failure: failed[1] ?? 'Failed' } : { power }
}

const find = (statuses: readonly InstanceStatus[], form: RegExp): RegExpExecArray | undefined =>
  statuses.map(({ code = '' }) => form.exec(code)).find((match) => match !== null)
