// The composition root: which implementation serves which port. Everything is built here, once, by hand.
import packageJson from '../package.json' with { type: 'json' }
import { createAssets } from './assets/index.ts'
import { AssetDocument } from './assets/model.ts'
import { createBlobStores } from './azure/blob.ts'
import { createCosmosStores } from './azure/cosmos.ts'
import { createMachines } from './azure/machines.ts'
import { createKek, readVaultSecret } from './azure/vault.ts'
import type { Config } from './config/index.ts'
import { systemClock } from './core/clock.ts'
import { lazy } from './core/lazy.ts'
import { consoleLog } from './core/log.ts'
import { Problem } from './core/problem.ts'
import { systemRandom } from './core/random.ts'
import { createDeliver } from './deliver/index.ts'
import { createEncode } from './encode/index.ts'
import { decide } from './fleet/decide.ts'
import { createGauge } from './fleet/gauge.ts'
import { createFleet } from './fleet/index.ts'
import { createMeter } from './fleet/meter.ts'
import { placesOf } from './fleet/plan.ts'
import { createClients } from './http/client.ts'
import { consolePolicy, createFiles } from './http/files.ts'
import { createHealth } from './http/health.ts'
import { createThrottle } from './http/throttle.ts'
import { createFfmpeg } from './media/index.ts'
import { createGrants } from './protect/grants.ts'
import { createProtect } from './protect/index.ts'
import { createRotation } from './protect/rotation.ts'
import { createAudit } from './tenants/audit.ts'
import { createTenants } from './tenants/index.ts'
import { TenantDocument } from './tenants/model.ts'
import { createUsage } from './tenants/usage.ts'
import { createUpload } from './upload/index.ts'
import { createWebhooks } from './webhooks/index.ts'
import { createSend } from './webhooks/send.ts'

export type App = ReturnType<typeof createApp>

/** What may be replaced: time, chance, the log, where the console's files are, and who tells countries. */
export interface Overrides {
  readonly clock?: typeof systemClock
  readonly random?: typeof systemRandom
  readonly log?: typeof consoleLog
  readonly webFolder?: string
  /** Where an address is, for policies on countries; what the edge says comes first, and nobody is asked without this. */
  readonly countryOf?: (address: string) => Promise<string | undefined>
  /** A node of the fleet beats what it serves; an instance of the app tells it by a gauge. */
  readonly isNode?: boolean
}

/** Where there are no pools, nobody asks for their machines. */
const noMachines = { subscription: '', group: '', clientId: undefined }

/** Units that all encoders of the plan do at once. */
function encoderSlots({ fleet }: Config): number {
  const plan = fleet?.pools.find(({ name }) => name === 'encoder')
  const places = plan ? placesOf(plan).slice(0, plan.maximum) : []
  return places.reduce((sum, { group }) => sum + group.slots, 0)
}

/** Does no I/O: connections open at first use, so that loading stays quick. */
export function createApp(config: Config, overrides: Overrides = {}) {
  const clock = overrides.clock ?? systemClock
  const random = overrides.random ?? systemRandom
  const log = overrides.log ?? consoleLog
  const countries = overrides.countryOf && { countryOf: overrides.countryOf }

  const blobs = createBlobStores(config.blob, { clock, random })
  const stores = createCosmosStores(config.cosmos, {
    clock,
    random,
    schemas: { asset: AssetDocument, tenant: TenantDocument },
    // A node calls no strangers: the sweep of the app passes on what happened there.
    ...(overrides.isNode ? {} : { announce: (event) => webhooks.announce(event) }),
  })
  const kek = createKek(config.kek, { clock })

  // Known players go on for as long when the store of documents is away.
  const graceMs = config.protect.leaseMs + config.protect.cutOffMs

  const tenants = createTenants({ store: stores.tenants, clock, graceMs })
  const usage = createUsage({ store: stores.usage, clock, find: tenants.find })
  const audit = createAudit({ store: stores.audit, clock, random })
  const assets = createAssets({ store: stores.assets, clock })
  const upload = createUpload({ assets: stores.assets, sources: blobs.sources, clock, limits: config.upload })
  const protect = createProtect({
    keys: stores.keys,
    sessions: stores.sessions,
    revocations: stores.revocations,
    kek,
    clock,
    random,
    tenant: tenants.find,
    countSession: usage.countSession,
    leaseMs: config.protect.leaseMs,
    cutOffMs: config.protect.cutOffMs,
    ...countries,
  })
  const grants = createGrants({
    tenants: stores.tenants,
    assets: stores.assets,
    sessions: stores.sessions,
    openSession: protect.openSession,
    countSession: usage.countSession,
    platformSecret: protect.platformSecret,
    now: protect.now,
    random,
    audience: config.protect.grantAudience,
    ...countries,
  })
  const rotation = createRotation({
    keys: stores.keys,
    kek,
    assets: stores.assets,
    media: blobs.media,
    clock,
    random,
    log,
    retentionMs: config.protect.keyRetentionMs,
  })
  const encode = createEncode({
    assets: stores.assets,
    sources: blobs.sources,
    media: blobs.media,
    units: stores.units,
    lines: stores.lines,
    openings: stores.openings,
    offers: stores.offers,
    crew: {
      awake: () => fleet.crew.awake(),
      pixelsPerSecond: () => fleet.crew.pixelsPerSecond(),
    },
    sealer: protect.sealer,
    charge: usage.chargeEncode,
    ffmpeg: createFfmpeg(config.encode),
    clock,
    log,
    prices: config.prices,
    limits: { ...config.encode, retentionMs: config.protect.keyRetentionMs, slots: encoderSlots(config) },
  })
  const fleet = createFleet({
    plan: { currency: '', pools: [], ...config.fleet, ...config.beat },
    isLeft: config.fleet !== undefined,
    store: stores.fleet,
    machines: createMachines(config.fleet?.arm ?? noMachines, { clock }),
    backlog: encode.backlog,
    decide,
    clock,
    log,
  })
  const meter = createMeter(clock)
  const isGauged = config.fleet?.pools.some(({ name }) => name === 'edge') && !overrides.isNode
  const deliver = createDeliver({
    assets: stores.assets,
    media: blobs.media,
    authorise: protect.authorise,
    redeem: grants.redeem,
    contentKey: protect.contentKey,
    segmentIv: protect.segmentIv,
    meter: isGauged ? createGauge({ meter, store: stores.fleet, clock, random, log }) : meter,
    clock,
    graceMs,
    refused: createThrottle(config.deliver.refusalsPerSecond, clock, 10 * config.deliver.refusalsPerSecond),
    answerMaxBytes: config.deliver.answerMaxBytes,
  })

  const { allowLocal } = config.webhooks
  const webhooks = createWebhooks({
    outbox: stores.outbox,
    endpoints: stores.endpoints,
    deliveries: stores.deliveries,
    isSuspended: async (tenantId) => {
      const tenant = await tenants.find(tenantId)
      return !tenant || tenant.suspendedAt !== undefined
    },
    send: createSend({ clock, allowLocal }),
    secret: () => protect.platformSecret('webhook'),
    clock,
    random,
    log,
    allowLocal,
  })

  const { adminKey } = config
  const readAdminKey = lazy(async () => {
    if (!adminKey) throw new Problem('unavailable')
    if (adminKey.kind === 'value') return adminKey.value
    return readVaultSecret(adminKey).catch((cause: unknown) => {
      throw new Problem('unavailable', { cause })
    })
  })

  const health = createHealth({
    clock,
    version: packageJson.version,
    prepare: async () => {
      if (config.localTenant) await tenants.ensure(config.localTenant.apiKey, 'Local studio')
      // Edges may read it and not make it. A vault that is away hinders what needs it, and nothing else.
      if (config.stages.has('api')) await protect.platformSecret('session-token').catch(() => {})
    },
    ping: () => Promise.all([stores.ping(), blobs.ping()]),
  })

  return {
    config,
    log,
    tenants,
    usage,
    audit,
    assets,
    upload,
    protect,
    grants,
    rotation,
    encode,
    deliver,
    fleet,
    meter,
    webhooks,
    clientOf: createClients(config.proxy),
    health,
    pages: createFiles(
      overrides.webFolder ?? '',
      consolePolicy(new URL(config.blob.url).origin, config.publicUrl),
    ),
    /** What every HTTP route needs besides its own call. */
    http: {
      log,
      random,
      publicUrl: config.publicUrl,
      authenticate: tenants.authenticate,
      audit: audit.begin,
      authenticateNode: fleet.nodes.authenticate,
      adminKey: readAdminKey,
      throttle: createThrottle(config.http.tenantRequestsPerSecond, clock),
      idempotencySecret: () => protect.platformSecret('idempotency'),
    },
  }
}
