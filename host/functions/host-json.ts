// What `host.json` and its overrides in the environment say, and whether that may start a host at all.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { HostJson } from '../contract.ts'
import { messageOf, startupError } from './startup-error.ts'
import { parseTimeSpan } from './time-span.ts'

export interface HostSettings extends HostJson {
  readonly maxConcurrentRequests: number
  readonly maxOutstandingRequests: number
  readonly logLevel: Readonly<Record<string, string>>
  /** When given, only these functions are loaded. */
  readonly functions: readonly string[] | undefined
  readonly unknownKeys: readonly string[]
}

const limit = z.coerce.number().int().min(-1)
const count = z.coerce.number().int().min(1)
const timeSpan = z
  .string()
  .refine((text) => parseTimeSpan(text) !== undefined, 'must be a time span such as 00:05:00')

const schema = z.looseObject({
  version: z.literal('2.0', 'must be "2.0"'),
  functionTimeout: timeSpan.optional(),
  functions: z.array(z.string()).optional(),
  logging: z.looseObject({ logLevel: z.record(z.string(), z.string()).optional() }).optional(),
  extensions: z
    .looseObject({
      http: z
        .looseObject({
          routePrefix: z.string().optional(),
          customHeaders: z.record(z.string(), z.string()).optional(),
          maxConcurrentRequests: limit.optional(),
          maxOutstandingRequests: limit.optional(),
        })
        .optional(),
      durableTask: z
        .looseObject({
          hubName: z.string().min(1).optional(),
          maxConcurrentActivityFunctions: count.optional(),
          maxConcurrentOrchestratorFunctions: count.optional(),
          defaultVersion: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
})

const known = new Set(
  `$schema version aggregator applicationInsights concurrency customHandler extensionBundle extensions functions
  functionTimeout healthMonitor isDefaultHostConfig logging managedDependency retry
  sendCanceledInvocationsToTheWorker singleton telemetryMode watchDirectories watchFiles`.split(/\s+/),
)

type Environment = Readonly<Record<string, string | undefined>>

export function readHostJson(folder: string, env: Environment): HostSettings {
  const file = join(folder, 'host.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw startupError(`${file} cannot be read: a function app has a host.json with "version": "2.0".`, error)
  }
  return parseHostJson(text, env)
}

export function parseHostJson(text: string, env: Environment): HostSettings {
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw startupError(`host.json is not valid JSON: ${messageOf(error)}`, error)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw startupError('host.json must be a JSON object.')
  }
  const parsed = schema.safeParse(withOverrides(json as Record<string, unknown>, env))
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw startupError(`host.json is not valid: ${issues.join('; ')}`)
  }
  return settle(parsed.data, env)
}

function settle(data: z.infer<typeof schema>, env: Environment): HostSettings {
  const http = data.extensions?.http ?? {}
  const durable = data.extensions?.durableTask ?? {}
  // The real host's defaults: 30 minutes outside Consumption, -1 for none, and ten of a kind for each core.
  const timeout = parseTimeSpan(data.functionTimeout ?? '00:30:00') as number
  const tenPerCore = 10 * availableParallelism()
  return {
    routePrefix: http.routePrefix?.replace(/^\/+|\/+$/g, '') ?? 'api',
    functionTimeoutSeconds: timeout < 0 ? undefined : timeout,
    customHeaders: http.customHeaders ?? {},
    maxConcurrentRequests: http.maxConcurrentRequests ?? -1,
    maxOutstandingRequests: http.maxOutstandingRequests ?? -1,
    logLevel: data.logging?.logLevel ?? {},
    functions: data.functions,
    unknownKeys: Object.keys(data).filter((key) => !known.has(key)),
    durable: {
      hubName: resolveSetting(durable.hubName ?? 'TestHubName', env),
      maxConcurrentActivities: durable.maxConcurrentActivityFunctions ?? tenPerCore,
      maxConcurrentOrchestrators: durable.maxConcurrentOrchestratorFunctions ?? tenPerCore,
      defaultVersion: durable.defaultVersion,
    },
  }
}

/** `%NAME%` stands for an app setting; one that isn't there stops the host. */
export function resolveSetting(text: string, env: Environment): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = env[name]
    if (value === undefined) throw startupError(`'%${name}%' does not resolve to a value: set ${name}.`)
    return value
  })
}

/** `AzureFunctionsJobHost__a__b=value` replaces `a.b` of host.json; numbers in the path index arrays. */
function withOverrides(json: Record<string, unknown>, env: Environment): Record<string, unknown> {
  const result = structuredClone(json)
  for (const [key, value] of Object.entries(env)) {
    const [root, ...path] = key.split('__')
    const last = path.pop()
    if (root?.toLowerCase() !== 'azurefunctionsjobhost' || last === undefined || value === undefined) continue
    let node: Record<string, unknown> = result
    for (const [index, step] of path.entries()) {
      const next = path[index + 1] ?? last
      if (typeof node[step] !== 'object' || node[step] === null) node[step] = /^\d+$/.test(next) ? [] : {}
      node = node[step] as Record<string, unknown>
    }
    node[last] = value
  }
  return result
}
