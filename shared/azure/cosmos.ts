// The stores that live in Cosmos DB, and how it is reached: an account key on one machine, Entra ID in Azure.
import type { CosmosClient } from '@azure/cosmos'
import type { TokenCredential } from '@azure/identity'
import type { Asset, AssetEvent, AssetStore, Outbox } from '../assets/ports.ts'
import type { CosmosConfig } from '../config/index.ts'
import { lazy } from '../core/lazy.ts'
import type { LineStore, OfferStore, OpeningStore, UnitStore } from '../encode/ports.ts'
import type { FleetStore } from '../fleet/ports.ts'
import type { KeyStore, RevocationStore, SessionStore } from '../protect/ports.ts'
import type { AuditStore, Tenant, TenantStore, UsageStore } from '../tenants/ports.ts'
import type { DeliveryStore, EndpointStore } from '../webhooks/ports.ts'
import { createAssetStore, eventKind, sessionCountKind, usageKind } from './asset-store.ts'
import { auditKind, createAuditStore } from './audit-store.ts'
import { entraCredential } from './credential.ts'
import { createDocuments, type Kind, type Schema } from './documents.ts'
import { type Pace, surfacing } from './failure.ts'
import { createFleetStore, gaugeKind, nodeKind, poolKind } from './fleet-store.ts'
import { createKeyStore, keyKind } from './key-store.ts'
import { createLineStore, lineKind } from './line-store.ts'
import { createOfferStore, offerKind } from './offer-store.ts'
import { createOpeningStore, openingKind } from './opening-store.ts'
import { createRevocationStore, revocationKind } from './revocation-store.ts'
import { createSessionStore, sessionKind, slotsKind } from './session-store.ts'
import { createStoreClock } from './store-clock.ts'
import { createTenantStore } from './tenant-store.ts'
import { createUnitStore, unitKind } from './unit-store.ts'
import { createDeliveryStore, createEndpointStore, deliveryKind, endpointsKind } from './webhook-store.ts'

export interface CosmosDeps extends Pace {
  /** The documents whose form other folders decide. */
  readonly schemas: { readonly asset: Schema<Asset>; readonly tenant: Schema<Tenant> }
  /** Told of each event of a title once it is written. */
  readonly announce?: (event: AssetEvent) => void
  /** Instead of the identity that the configuration names. */
  readonly credential?: TokenCredential
}

export interface CosmosStores {
  readonly assets: AssetStore
  readonly usage: UsageStore
  readonly tenants: TenantStore
  readonly audit: AuditStore
  readonly keys: KeyStore
  readonly sessions: SessionStore
  readonly revocations: RevocationStore
  readonly units: UnitStore
  readonly lines: LineStore
  readonly openings: OpeningStore
  readonly offers: OfferStore
  readonly fleet: FleetStore
  readonly outbox: Outbox
  readonly endpoints: EndpointStore
  readonly deliveries: DeliveryStore
  /** Resolves when the service answers and this application may read there. */
  ping(): Promise<void>
}

// The SDK repeats throttled calls by itself; longer than this, and the caller had better be told.
const throttleRetries = { maxRetryAttemptCount: 9, maxWaitTimeInSeconds: 8 }
const requestTimeout = 10_000

/** Opens nothing before the first use. */
export function createCosmosStores(config: CosmosConfig, deps: CosmosDeps): CosmosStores {
  const open = lazy(() => connect(config, deps.credential))
  const { now, observe } = createStoreClock(deps.clock)
  const container = async (name: string) => (await open()).database(config.database).container(name)
  const documents = <T extends { id: string }>(name: string, kind: Omit<Kind<T>, 'container'>) =>
    surfacing(createDocuments({ container: () => container(name), observe, ...kind }, deps))
  const { asset, tenant } = deps.schemas
  return {
    ...createAssetStore({
      assets: documents('assets', { partition: 'tenantId', type: 'asset', schema: asset }),
      usage: documents('assets', usageKind),
      sessions: documents('assets', sessionCountKind),
      events: documents('assets', eventKind),
      announce: deps.announce,
      clock: deps.clock,
    }),
    tenants: createTenantStore(documents('tenants', { partition: 'id', type: 'tenant', schema: tenant })),
    audit: createAuditStore(documents('audit', auditKind)),
    keys: createKeyStore(documents('keys', keyKind)),
    sessions: createSessionStore({
      sessions: documents('sessions', sessionKind),
      slots: documents('sessions', slotsKind),
      now,
    }),
    revocations: createRevocationStore(documents('revocations', revocationKind)),
    units: createUnitStore(documents('units', unitKind)),
    lines: createLineStore(documents('units', lineKind)),
    openings: createOpeningStore(documents('units', openingKind)),
    offers: createOfferStore(documents('units', offerKind), now),
    fleet: createFleetStore({
      nodes: documents('fleet', nodeKind),
      pools: documents('fleet', poolKind),
      gauges: documents('fleet', gaugeKind),
      now,
    }),
    endpoints: createEndpointStore(documents('webhooks', endpointsKind)),
    deliveries: createDeliveryStore(documents('webhooks', deliveryKind)),
    ...surfacing({
      async ping() {
        await (await container('assets')).read()
      },
    }),
  }
}

async function connect(
  { endpoint, key, clientId }: CosmosConfig,
  credential: TokenCredential | undefined,
): Promise<CosmosClient> {
  const { CosmosClient } = await import('@azure/cosmos')
  const connectionPolicy = { requestTimeout, retryOptions: throttleRetries }
  if (key) {
    // A local server has one address and knows it by that name alone: nothing to discover.
    const here = { ...connectionPolicy, enableEndpointDiscovery: false }
    return new CosmosClient({ endpoint, key, connectionPolicy: here })
  }
  const aadCredentials = credential ?? (await entraCredential(clientId))
  return new CosmosClient({ endpoint, aadCredentials, connectionPolicy })
}
