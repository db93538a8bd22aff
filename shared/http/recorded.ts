// Which requests change something, and how each of them gets its entry in the audit before it may.
import type { Log } from '../core/log.ts'
import { Problem } from '../core/problem.ts'
import type { Audit } from '../tenants/audit.ts'
import type { AuditOutcome } from '../tenants/ports.ts'
import { type Call, type Route, replyStatus } from './route.ts'

export interface RecordDeps {
  readonly log: Log
  /** Rejects when the entry can not be kept; then the route does not run. */
  readonly audit: Audit['begin']
}

const reads = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Runs the route. A change without an entry is not made; an outcome that is lost leaves the entry without one. */
export async function recorded<App, B, Q>(
  route: Route<App>,
  deps: RecordDeps,
  call: Call<App, B, Q>,
): Promise<unknown> {
  const { ask, caller, params, body } = call
  const run = () => route.run(call as never)
  if (reads.has(ask.method) || caller.kind === 'nobody' || caller.kind === 'node' || route.audited === false)
    return run()
  const settle = await deps.audit({
    tenantId: call.tenant.id,
    who: caller,
    action: route.name,
    params,
    body,
    requestId: ask.id,
  })
  let outcome: AuditOutcome = { status: 500, code: 'internal' }
  try {
    const result = await run()
    outcome = { status: replyStatus(route, result), ...madeBy(result) }
    return result
  } catch (error) {
    if (error instanceof Problem) outcome = { status: error.status, code: error.code }
    throw error
  } finally {
    await settle(outcome).catch((cause: unknown) =>
      deps.log('error', 'http.outcome-lost', { route: route.name, request: ask.id, cause: String(cause) }),
    )
  }
}

const idFields = ['id', 'assetId', 'sessionId'] as const

/** The id alone: what was made may come with its secret. */
function madeBy(result: unknown): { made?: string } {
  if (typeof result !== 'object' || result === null) return {}
  const ids = idFields.map((field) => (result as Record<string, unknown>)[field])
  const made = ids.find((id) => typeof id === 'string')
  return made === undefined ? {} : { made: made as string }
}
