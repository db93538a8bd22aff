// Runs mutations against the doors that they are meant for; the token itself is let in first, or nothing would be shown.
import fc from 'fast-check'
import { mintToken, verifyToken } from '../../shared/protect/session-token.ts'
import { grantMutations } from './grant-mutations.ts'
import { createGrantStage } from './grant-stage.ts'
import { textMutations } from './mutations.ts'
import { algorithms } from './signers.ts'

export interface Door {
  readonly name: string
  readonly token: string
  readonly mutations: fc.Arbitrary<string>
  accepts(candidate: string): Promise<boolean> | boolean
}

/** `seed` makes a failure repeatable; rejects with what fast-check has to say when anything is accepted. */
export async function attack({ token, mutations, accepts }: Door, options: { seed: number; runs: number }) {
  if (!(await accepts(token))) throw new Error('the token itself is refused')
  const property = fc.asyncProperty(mutations, async (candidate) => {
    if (candidate !== token && (await accepts(candidate))) throw new Error(`accepted: ${candidate}`)
  })
  await fc.assert(property, { seed: options.seed, numRuns: options.runs })
  if (!(await accepts(token))) throw new Error('the token itself is refused afterwards')
}

export async function fuzzTargets(): Promise<Door[]> {
  const stage = await createGrantStage()
  const opens = async (grant: string) => (await stage.redeem(grant)) !== undefined
  const key = { keyId: 'p1', secret: await stage.platformSecret('session-token') }
  const session = { sessionId: '0123456789abcdef-0123456789abcdefghjk', expiresAtSeconds: 1_770_110_208 }
  const token = mintToken(session, key)
  const minted = await stage.grants.mint({
    tenantId: stage.claims().iss,
    assetId: stage.claims().asset,
    jti: 'ours',
    expiresInSeconds: 3600,
  })
  return [
    {
      name: 'session tokens',
      token,
      mutations: textMutations(token),
      accepts: (candidate) => verifyToken(candidate, key) !== undefined,
    },
    {
      name: 'grants of the platform',
      token: minted.grant,
      mutations: textMutations(minted.grant),
      accepts: opens,
    },
    ...algorithms.map((algorithm) => {
      const signer = stage.signers[algorithm]
      // Made once: each signature of ES256 is another one.
      const grant = stage.grant(signer)
      return {
        name: `grants of ${algorithm}`,
        token: grant,
        mutations: grantMutations(stage, signer, grant),
        accepts: opens,
      }
    }),
  ]
}
