// When a title says that it waits for encoders: its beginning is made, the rest is offered, none of it is in anybody's hands, and no node is awake.
import { wakingEncoders } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import { isBeginningMade } from './beginning.ts'
import { isDue, isFree, isHeld, isOfApp } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import type { Plan } from './plan.ts'
import type { Offer } from './ports.ts'

interface Offered {
  readonly title: Asset
  readonly plan: Plan
  readonly offer: Offer
}

/**
 * Whoever has one of its units ends it (`showTotal`). What the app has taken up, since nobody came, waits for nobody.
 * Asked in the order in which answers are cheap.
 */
export async function showWaking(deps: EncodeDeps, { title, plan, offer }: Offered): Promise<void> {
  const { tenantId, id, version, progress } = title
  const nowMs = deps.offers.now()
  if (progress.stage !== 'encoding' || !isFree(offer, nowMs)) return
  if ((await deps.crew.awake()) > 0) return
  const isAtWork = (other: Offer) => isOfApp(other) || isHeld(other, nowMs) || isDue(other, nowMs)
  if ((await deps.offers.list(offer.jobId)).some(isAtWork)) return
  if (offer.patienceMs !== undefined && !(await isBeginningMade(deps, plan, offer.jobId))) return
  await deps.assets.update(tenantId, id, (asset) =>
    wakingEncoders(asset, { version, waits: true }, deps.clock.now()),
  )
}
