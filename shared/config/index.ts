// From environment to configuration: read once, checked together, contradictory settings refused.
import { z } from 'zod'
import { type FleetConfig, fleetOf } from './fleet.ts'
import { type Prices, pricesOf } from './prices.ts'
import { settings } from './schema.ts'
import { loadWorkerConfig, type WorkerConfig } from './worker.ts'

export type { WorkerConfig }

export const stages = ['api', 'orchestrate', 'encode', 'deliver'] as const
export type Stage = (typeof stages)[number]

export interface BlobConfig {
  readonly url: string
  /** Local only; without it the app signs in as `clientId` and mints user-delegation SAS. */
  readonly emulator?: { readonly account: string; readonly key: string }
  readonly clientId?: string | undefined
}
export interface CosmosConfig {
  readonly endpoint: string
  readonly database: string
  readonly key?: string | undefined
  readonly clientId?: string | undefined
}
export type KekConfig =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'vault'
      readonly url: string
      readonly name: string
      readonly clientId?: string | undefined
    }
export type AdminKeyConfig =
  | { readonly kind: 'value'; readonly value: string }
  | {
      readonly kind: 'vault'
      readonly url: string
      readonly secret: string
      readonly clientId?: string | undefined
    }

export interface Config {
  readonly stages: ReadonlySet<Stage>
  readonly publicUrl: string | undefined
  readonly blob: BlobConfig
  readonly cosmos: CosmosConfig
  readonly kek: KekConfig
  /** Undefined on a node of the fleet, where nobody is an admin. */
  readonly adminKey: AdminKeyConfig | undefined
  /** A tenant that must exist before the app says it is healthy; local only. */
  readonly localTenant: { readonly id: string; readonly apiKey: string } | undefined
  readonly upload: {
    readonly urlSeconds: number
    readonly blockBytes: number
    readonly maxBytes: number
    readonly idleMs: number
  }
  readonly encode: {
    readonly ffmpegPath: string
    readonly ffprobePath: string
    readonly threads: number
    readonly chunkSegments: number
    readonly window: number
    readonly tenantTitles: number
    readonly unitMs: number
    readonly executor: 'function' | 'fleet' | 'auto'
    readonly fleetMs: number
    readonly patienceMs: number
    readonly beginningSeconds: number
    readonly claimMs: number
    readonly maxSeconds: number
    readonly maxPixels: number
  }
  /** What quotes are made of. */
  readonly prices: {
    readonly table: Prices & { readonly currency: string }
    readonly speed: { readonly pixelsPerSecond: number; readonly units: number }
  }
  readonly protect: {
    readonly leaseMs: number
    readonly cutOffMs: number
    readonly grantAudience: string
    readonly keyRetentionMs: number
  }
  readonly deliver: { readonly answerMaxBytes: number; readonly refusalsPerSecond: number }
  /** Which headers of a request can be believed. */
  readonly proxy: {
    readonly hops: number
    readonly proof: { readonly header: string; readonly value: string } | undefined
    readonly countryHeader: string | undefined
  }
  readonly webhooks: { readonly allowLocal: boolean }
  /** How nodes say that they live, and when they are taken for dead. */
  readonly beat: { readonly beatMs: number; readonly deadMs: number }
  /** Undefined where there are no virtual machines. */
  readonly fleet: FleetConfig | undefined
  readonly http: { readonly tenantRequestsPerSecond: number }
}

/** Refuses with every problem at once, in words; a Functions app with a bad setting must not load. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const known = Object.keys(settings.shape).map((name) => [name, env[name] || undefined])
  const parsed = settings.safeParse(Object.fromEntries(known))
  if (!parsed.success) throw new Error(`These settings are not right:\n${z.prettifyError(parsed.error)}`)
  const s = parsed.data
  const wrong: string[] = []
  const need = (ok: unknown, message: string) => {
    if (!ok) wrong.push(message)
  }
  need(!s.BLOB_ACCOUNT === !s.BLOB_KEY, 'BLOB_ACCOUNT and BLOB_KEY belong together')
  need(!s.LOCAL_TENANT_ID === !s.LOCAL_TENANT_KEY, 'LOCAL_TENANT_ID and LOCAL_TENANT_KEY belong together')
  need(s.VAULT_URL || s.KEK_FILE, 'VAULT_URL is missing (or KEK_FILE, on one machine)')
  const isNode = Boolean(env['NODE_ID'])
  need(s.VAULT_URL || s.ADMIN_KEY || isNode, 'VAULT_URL is missing (or ADMIN_KEY, on one machine)')
  const ofOneMachine = s.KEK_FILE || s.ADMIN_KEY || s.LOCAL_TENANT_KEY || s.COSMOS_KEY || s.BLOB_KEY
  need(
    !(s.VAULT_URL && ofOneMachine),
    'beside VAULT_URL no key and no key file is taken: in Azure there are only identities',
  )
  need(
    !(s.VAULT_URL && s.WEBHOOK_ALLOW_LOCAL === 'true'),
    'WEBHOOK_ALLOW_LOCAL is for one machine: in Azure webhooks never go inside',
  )
  need(
    !s.COUNTRY_HEADER || s.PROXY_PROOF,
    'COUNTRY_HEADER needs PROXY_PROOF: anybody could write that header',
  )
  need(
    s.TRUSTED_PROXY_HOPS === 1 || s.PROXY_PROOF,
    'TRUSTED_PROXY_HOPS beyond 1 needs PROXY_PROOF: whoever reaches the app beside the proxy would be believed',
  )
  need(
    !(s.VAULT_URL && (s.FLEET_ARM_URL || s.FLEET_ARM_TOKEN)),
    'FLEET_ARM_URL and FLEET_ARM_TOKEN are for one machine: in Azure there is one resource manager',
  )
  need(!s.FLEET_ARM_URL === !s.FLEET_ARM_TOKEN, 'FLEET_ARM_URL and FLEET_ARM_TOKEN belong together')
  need(
    !s.FLEET_POOLS || (s.FLEET_SUBSCRIPTION && s.FLEET_GROUP),
    'FLEET_POOLS needs FLEET_SUBSCRIPTION and FLEET_GROUP',
  )
  need(
    s.NODE_DEAD_SECONDS >= 3 * s.NODE_BEAT_SECONDS,
    'NODE_DEAD_SECONDS must be three times NODE_BEAT_SECONDS at least: one beat that is late is no death',
  )
  const served = s.STAGES === 'all' ? stages : s.STAGES.split(',').map((name) => name.trim())
  for (const name of served)
    need(stages.includes(name as Stage), `STAGES names '${name}'; there are ${stages.join(', ')}`)
  if (wrong.length) throw new Error(`These settings are not right:\n${wrong.map((w) => `✖ ${w}`).join('\n')}`)

  const clientId = s.AZURE_CLIENT_ID
  return {
    stages: new Set(served as Stage[]),
    publicUrl: s.PUBLIC_URL?.replace(/\/$/, ''),
    blob: {
      url: s.BLOB_URL.replace(/\/$/, ''),
      ...(s.BLOB_ACCOUNT && s.BLOB_KEY ? { emulator: { account: s.BLOB_ACCOUNT, key: s.BLOB_KEY } } : {}),
      clientId,
    },
    cosmos: { endpoint: s.COSMOS_ENDPOINT, database: s.COSMOS_DATABASE, key: s.COSMOS_KEY, clientId },
    kek: s.KEK_FILE
      ? { kind: 'file', path: s.KEK_FILE }
      : { kind: 'vault', url: s.VAULT_URL ?? '', name: s.KEK_NAME, clientId },
    adminKey: isNode
      ? undefined
      : s.ADMIN_KEY
        ? { kind: 'value', value: s.ADMIN_KEY }
        : { kind: 'vault', url: s.VAULT_URL ?? '', secret: s.ADMIN_KEY_SECRET, clientId },
    localTenant:
      s.LOCAL_TENANT_ID && s.LOCAL_TENANT_KEY
        ? { id: s.LOCAL_TENANT_ID, apiKey: s.LOCAL_TENANT_KEY }
        : undefined,
    upload: {
      urlSeconds: s.UPLOAD_URL_SECONDS,
      blockBytes: s.UPLOAD_BLOCK_BYTES,
      maxBytes: s.UPLOAD_MAX_BYTES,
      idleMs: s.UPLOAD_IDLE_HOURS * 3_600_000,
    },
    encode: {
      ffmpegPath: s.FFMPEG_PATH,
      ffprobePath: s.FFPROBE_PATH,
      threads: s.ENCODE_THREADS,
      chunkSegments: s.ENCODE_CHUNK_SEGMENTS,
      window: s.ENCODE_WINDOW,
      tenantTitles: s.ENCODE_TENANT_TITLES,
      unitMs: s.ENCODE_UNIT_SECONDS * 1000,
      executor: s.ENCODE_EXECUTOR,
      fleetMs: s.ENCODE_FLEET_SECONDS * 1000,
      patienceMs: s.ENCODE_FLEET_PATIENCE_SECONDS * 1000,
      beginningSeconds: s.ENCODE_BEGINNING_SECONDS,
      claimMs: s.UNIT_LEASE_SECONDS * 1000,
      maxSeconds: s.SOURCE_MAX_SECONDS,
      maxPixels: s.SOURCE_MAX_PIXELS,
    },
    prices: {
      table: { ...pricesOf(s.ENCODE_PRICES), currency: s.ENCODE_PRICE_CURRENCY },
      speed: { pixelsPerSecond: s.ENCODE_PIXELS_PER_SECOND, units: s.ENCODE_PARALLEL_UNITS },
    },
    protect: {
      leaseMs: s.LEASE_SECONDS * 1000,
      cutOffMs: s.CUT_OFF_SECONDS * 1000,
      grantAudience: s.GRANT_AUDIENCE,
      keyRetentionMs: s.KEY_RETENTION_HOURS * 3_600_000,
    },
    deliver: { answerMaxBytes: s.ANSWER_MAX_BYTES, refusalsPerSecond: s.REFUSALS_PER_SECOND },
    proxy: {
      hops: s.TRUSTED_PROXY_HOPS,
      proof: s.PROXY_PROOF ? proofOf(s.PROXY_PROOF) : undefined,
      countryHeader: s.COUNTRY_HEADER?.toLowerCase(),
    },
    beat: { beatMs: s.NODE_BEAT_SECONDS * 1000, deadMs: s.NODE_DEAD_SECONDS * 1000 },
    fleet: fleetOf(s),
    webhooks: { allowLocal: s.WEBHOOK_ALLOW_LOCAL === 'true' },
    http: { tenantRequestsPerSecond: s.TENANT_REQUESTS_PER_SECOND },
  }
}

function proofOf(text: string): { header: string; value: string } {
  const at = text.indexOf('=')
  return { header: text.slice(0, at).toLowerCase(), value: text.slice(at + 1) }
}

/** The readers of the environment. */
export const configFromEnvironment = (): Config => loadConfig(process.env)
export const workerFromEnvironment = (): WorkerConfig => loadWorkerConfig(process.env)
