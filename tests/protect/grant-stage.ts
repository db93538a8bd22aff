// Grants on the smallest ports there are: two tenants with a key of each algorithm, one title, and every call counted.
import type { Asset } from '../../shared/assets/model.ts'
import type { AssetId, TenantId } from '../../shared/core/ids.ts'
import type { GrantClaims } from '../../shared/protect/grant.ts'
import { createGrants } from '../../shared/protect/grants.ts'
import { createPlatformSecret } from '../../shared/protect/platform-secret.ts'
import { createSessions } from '../../shared/protect/sessions.ts'
import type { SigningAlgorithm, SigningKey, Tenant } from '../../shared/tenants/model.ts'
import { sampleAsset, sampleTenant } from '../support/documents.ts'
import * as ports from './ports.ts'
import { algorithms, makeSigner, type Signer, signGrant } from './signers.ts'

const { tenantId, otherTenant, assetId } = ports
const audience = 'movidone'

export type Registered = Signer & { readonly key: SigningKey }

function register(tenant: Tenant, algorithm: SigningAlgorithm): [Tenant, Registered] {
  const signer = makeSigner(algorithm)
  const id = `sig_${tenant.id.slice(-1)}000000000000000000${algorithms.indexOf(algorithm)}` as const
  const { publicKey } = signer
  const key: SigningKey = { id, name: algorithm, algorithm, publicKey, createdAt: '2029-12-01T00:00:00.000Z' }
  return [
    { ...tenant, signingKeys: [...tenant.signingKeys, key] },
    { ...signer, key },
  ]
}

function withKeys(id: TenantId) {
  let tenant = sampleTenant({ id, allowedOrigins: ['https://www.example.com'] })
  const signers = algorithms.map((algorithm) => {
    const [next, signer] = register(tenant, algorithm)
    tenant = next
    return [algorithm, signer] as const
  })
  return { tenant, signers: Object.fromEntries(signers) as Record<SigningAlgorithm, Registered> }
}

/** `behindMs`: what this node's clock is late by until the store of sessions has answered. */
export async function createGrantStage({ seed = 'tests', behindMs = 0 } = {}) {
  const clock = ports.settableClock()
  const random = ports.testRandom(seed)
  const sessions = ports.sessionDocuments(clock)
  const keys = ports.keyDocuments()
  const platformSecret = createPlatformSecret({ keys, kek: ports.countingKek().kek, random })
  const own = withKeys(tenantId)
  const foreign = withKeys(otherTenant)
  const tenants = new Map<string, Tenant>([own, foreign].map(({ tenant }) => [tenant.id, tenant]))
  const playable = {
    state: 'ready',
    progress: { percent: 100, stage: 'done' },
    timeline: 'timeline',
  } as const
  const assets = new Map<string, Asset>([[assetId, sampleAsset({ id: assetId, tenantId, ...playable })]])
  const calls = { tenants: [] as string[], assets: [] as string[], counted: 0 }
  /** Opened beyond what the tenant may: what `countSession` throws. */
  const refuse: { session?: Error } = {}

  const countSession = async () => {
    if (refuse.session) throw refuse.session
    calls.counted++
  }
  const getTenant = async (id: TenantId) => tenants.get(id)
  const grants = createGrants({
    tenants: {
      get: (id) => {
        calls.tenants.push(id)
        return getTenant(id)
      },
    },
    assets: {
      get: async (tenant: TenantId, id: AssetId) => {
        calls.assets.push(id)
        const found = assets.get(id)
        return found?.tenantId === tenant ? found : undefined
      },
    },
    sessions,
    openSession: createSessions({ sessions, tenant: getTenant, random, platformSecret, countSession }),
    countSession,
    platformSecret,
    now: () => clock.now() - (sessions.reads.length === 0 ? behindMs : 0),
    random,
    audience,
  })
  // Made before anything is counted.
  await platformSecret('grant')

  const claims = (changes: Record<string, unknown> = {}): GrantClaims => {
    const iat = Math.floor(clock.now() / 1000)
    const whole = { iss: tenantId, aud: audience, jti: 'visit-1', iat, exp: iat + 3600, asset: assetId }
    return { ...whole, ...changes } as GrantClaims
  }
  const client = ports.clientOf()
  return {
    clock,
    sessions,
    tenants,
    assets,
    calls,
    refuse,
    grants,
    platformSecret,
    signers: own.signers,
    foreign: foreign.signers,
    client,
    claims,
    headerOf: ({ algorithm, key }: Registered) => ({ alg: algorithm, kid: key.id }),
    grant(signer: Registered = own.signers.EdDSA, changes: Record<string, unknown> = {}): string {
      return signGrant({ alg: signer.algorithm, kid: signer.key.id }, claims(changes), signer)
    },
    redeem: (grant: string, more: Partial<Parameters<typeof grants.redeem>[0]> = {}) =>
      grants.redeem({ grant, client, open: true, ...more }),
    check: (grant: string) => grants.checkGrant(tenants.get(tenantId)!, grant),
    changeTenant(change: Partial<Tenant>) {
      tenants.set(tenantId, { ...tenants.get(tenantId)!, ...change })
    },
    changeAsset(change: Partial<Asset>) {
      assets.set(assetId, { ...assets.get(assetId)!, ...change })
    },
  }
}

export type GrantStage = Awaited<ReturnType<typeof createGrantStage>>
