// Grants: what the platform mints, what opens a session, and what a tenant is told of one that does not.
import { createGrantSigner } from './grant-signer.ts'
import { createRedeem, type RedeemDeps } from './redeem.ts'

export function createGrants(deps: Omit<RedeemDeps, 'signer'>) {
  const signer = createGrantSigner(deps)
  return { mint: signer.mint, ...createRedeem({ ...deps, signer }) }
}
