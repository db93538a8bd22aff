// What a worker is told besides the application's settings: who it is, and where it reports.
import { z } from 'zod'

const settings = z.object({
  NODE_CREDENTIAL: z.string().regex(/^node_\w{20}\.[\w-]{43}$/, 'must be <node id>.<secret>'),
  FLEET_URL: z.url(),
})

export interface WorkerConfig {
  readonly node: string
  readonly credential: string
  /** Origin of the platform's API. */
  readonly fleetUrl: string
}

export function loadWorkerConfig(env: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const parsed = settings.safeParse(env)
  // The values are not shown: one of them is a secret.
  if (!parsed.success) throw new Error(`These settings are not right:\n${z.prettifyError(parsed.error)}`)
  const { NODE_CREDENTIAL: credential, FLEET_URL } = parsed.data
  return { node: credential.split('.')[0] ?? '', credential, fleetUrl: FLEET_URL.replace(/\/$/, '') }
}
