// When a title says that it waits for encoders: its units are offered, none is in anybody's hands, and no node is awake.
import { wakingEncoders } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import { isDue, isFree, isHeld, isOfApp } from './claims.ts'
import type { EncodeDeps } from './deps.ts'
import type { Offer } from './ports.ts'

/**
 * Whoever has one of its units ends it (`showTotal`). What the app has taken up, since nobody came, waits for nobody.
 * Asked in the order in which answers are cheap.
 */
export async function showWaking(deps: EncodeDeps, title: Asset, offer: Offer): Promise<void> {
  const { tenantId, id, version, progress } = title
  const nowMs = deps.offers.now()
  if (progress.stage !== 'encoding' || !isFree(offer, nowMs) || isOfApp(offer)) return
  if ((await deps.crew.awake()) > 0) return
  const isAtWork = (other: Offer) => isOfApp(other) || isHeld(other, nowMs) || isDue(other, nowMs)
  if ((await deps.offers.list(offer.jobId)).some(isAtWork)) return
  await deps.assets.update(tenantId, id, (asset) =>
    wakingEncoders(asset, { version, waits: true }, deps.clock.now()),
  )
}
