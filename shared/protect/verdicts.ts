// What was granted before: the same token of the same client costs no second judgement within a second, and no second proof.
import type { Client } from '../core/client.ts'
import type { EffectivePolicy } from '../tenants/policy.ts'
import type { Lease, LeasePurpose } from './desks.ts'
import type { Leases } from './leases.ts'
import type { Revocations } from './revocations.ts'
import type { SessionClaim } from './session-token.ts'

/** Who asks with what, as it was proved once: the same words prove the same. */
export interface Proof {
  readonly claim: SessionClaim
  /** Keyed hash of network and user agent. */
  readonly client: string
}

export interface Verdict<G> {
  readonly grant: G
  readonly proof: Proof
  readonly purpose: 'image' | LeasePurpose
  /** Of a stream: it is asked each time, so what it learns takes effect at once. */
  readonly lease: Lease | undefined
  readonly policy: EffectivePolicy
  /** The session is idle or over from here on. */
  readonly untilMs: number
  /** Of the revocations that were known. */
  readonly epoch: number
}

interface Kept<G> extends Verdict<G> {
  readonly endsAtMs: number
}

const ageMs = 1000
const mostKept = 50_000

export function createVerdicts<G>({ leases, revocations }: { leases: Leases; revocations: Revocations }) {
  const verdicts = new Map<string, Kept<G>>()

  return {
    /** Everything that a verdict depends on; the token has a length that is bounded where it is verified. */
    nameOf: ({ token, client, purpose }: { token: string; client: Client; purpose: string }): string =>
      `${purpose}\0${token}\0${client.network}\0${client.address ?? ''}\0${client.country ?? ''}\0${client.site ?? ''}\0${client.userAgent}`,

    find(name: string): G | undefined {
      const kept = verdicts.get(name)
      if (!kept) return undefined
      const { grant, lease, purpose, epoch, endsAtMs } = kept
      const nowMs = leases.now()
      const holds = nowMs < endsAtMs && epoch === revocations.epoch() && revocations.isCurrent()
      return holds && (purpose === 'image' || (lease && leases.use(lease, purpose, nowMs)))
        ? grant
        : undefined
    },

    proofOf: (name: string): Proof | undefined => verdicts.get(name)?.proof,
    drop: (name: string): void => void verdicts.delete(name),

    keep(name: string, verdict: Verdict<G>): void {
      const { policy, untilMs } = verdict
      const notAfterMs = policy.notAfter === undefined ? untilMs : Date.parse(policy.notAfter)
      const endsAtMs = Math.min(leases.now() + ageMs, untilMs, notAfterMs)
      // To the end: whoever was silent for longest is the first to be forgotten.
      verdicts.delete(name)
      verdicts.set(name, { ...verdict, endsAtMs })
      for (const [oldest] of verdicts) {
        if (verdicts.size <= mostKept) break
        verdicts.delete(oldest)
      }
    },
  }
}
