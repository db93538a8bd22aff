// What a worker is told besides the application's settings: which node it is, where it reports, and how an edge is reached.
import { z } from 'zod'

const settings = z.object({
  NODE_ID: z
    .string()
    .regex(
      /^(encoder|edge)-[a-z0-9]{1,12}-[1-9]\d{0,3}$/,
      'must be the name of a machine of the fleet, encoder-<group>-<n> or edge-<group>-<n>: its pool says what this worker does',
    ),
  FLEET_URL: z.url(),
  EDGE_HOST: z.string().default('127.0.0.1'),
  EDGE_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  EDGE_URL: z.url().optional(),
  EDGE_QUIET_SECONDS: z.coerce.number().min(0).max(600).default(15),
})

export interface WorkerConfig {
  readonly node: string
  readonly role: 'encoder' | 'edge'
  /** Origin of the platform's API. */
  readonly fleetUrl: string
  readonly edge: {
    readonly host: string
    /** 0: any. */
    readonly port: number
    /** Origin that viewers know edges by; the Host header of the request when undefined. */
    readonly url: string | undefined
    /** A draining edge that nobody asked for so long has nobody left. */
    readonly quietMs: number
  }
}

const origin = (url: string): string => url.replace(/\/$/, '')

export function loadWorkerConfig(env: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const known = Object.keys(settings.shape).map((name) => [name, env[name] || undefined])
  const parsed = settings.safeParse(Object.fromEntries(known))
  if (!parsed.success) throw new Error(`These settings are not right:\n${z.prettifyError(parsed.error)}`)
  const s = parsed.data
  return {
    node: s.NODE_ID,
    role: s.NODE_ID.startsWith('edge-') ? 'edge' : 'encoder',
    fleetUrl: origin(s.FLEET_URL),
    edge: {
      host: s.EDGE_HOST,
      port: s.EDGE_PORT,
      url: s.EDGE_URL && origin(s.EDGE_URL),
      quietMs: s.EDGE_QUIET_SECONDS * 1000,
    },
  }
}
