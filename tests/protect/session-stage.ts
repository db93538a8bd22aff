// Nodes of one platform on the smallest ports there are: sessions, leases and revocations in simulated time.
import type { Client } from '../../shared/core/client.ts'
import type { AuthoriseAsk } from '../../shared/protect/authorise.ts'
import { createProtect, type ProtectDeps } from '../../shared/protect/index.ts'
import type { OpenSession } from '../../shared/protect/sessions.ts'
import type { Tenant } from '../../shared/tenants/model.ts'
import {
  assetId,
  clientOf,
  countingKek,
  keyDocuments,
  otherTenant,
  protectPorts,
  settableClock,
  tenantId,
  testRandom,
} from './ports.ts'

export const asset = { id: assetId, durationSeconds: 60 }
export const origins = ['https://www.example.com']

export interface SessionStageOptions {
  readonly seed?: string
  readonly tenant?: Partial<Tenant>
}

export function createSessionStage({ seed, tenant = {} }: SessionStageOptions = {}) {
  const clock = settableClock()
  const home = { id: tenantId, allowedOrigins: origins, ...tenant }
  const ports = protectPorts(clock, [home, { id: otherTenant }])
  const keys = keyDocuments()
  const random = testRandom(seed)
  const node = (other: Partial<ProtectDeps> = {}) => {
    const protect = createProtect({ ...ports, keys, kek: countingKek().kek, random, ...other })
    return {
      ...protect,
      /** Whether somebody gets a segment, unless another purpose is given. */
      plays: async (token: string, ask: Partial<AuthoriseAsk> = {}): Promise<boolean> =>
        (await protect.authorise({ token, client: clientOf(), purpose: 'media', ...ask })) !== undefined,
    }
  }
  const protect = node()
  return {
    ...ports,
    /** As its tenant's document is from now on. */
    home,
    keys,
    node,
    protect,
    open: (ask: Partial<OpenSession> = {}) => protect.openSession({ tenantId, asset, ...ask }),
  }
}

export type SessionNode = ReturnType<ReturnType<typeof createSessionStage>['node']>

/** Another one on the same line: what a copied URL is played with. */
export const copycat: Client = clientOf('a copy')
