// encode-retire: versions that were replaced go once players that began with them are done, with media, units and keys.
import { formerRetired, timelineGeneration, timelineVersion } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import { cleanVersion } from './clean.ts'
import type { EncodeDeps } from './deps.ts'
import type { Finished, Outcome, RetireTarget } from './work.ts'

type Former = NonNullable<Asset['former']>[number]

/** Of versions before the one that plays; its own former keys are not encode's to take away. */
const replaced = ({ former = [], version }: Asset): Former[] =>
  former.filter(({ timeline }) => timelineVersion(timeline) !== version)

/** Until when there are versions that this one replaced. */
export function formerOf(asset: Asset): Finished {
  const until = replaced(asset)
    .map((one) => one.until)
    .sort()
    .at(-1)
  return until === undefined ? {} : { until }
}

/** The title's document forgets a version last: a repetition finds again what is not gone yet. */
export async function retire(deps: EncodeDeps, { until, ...target }: RetireTarget): Promise<Outcome> {
  const { tenantId, assetId } = target
  const asset = await deps.assets.get(tenantId, assetId)
  if (asset?.state !== 'ready') return { ok: true }
  const old = replaced(asset)
  for (const version of new Set(old.map(({ timeline }) => timelineVersion(timeline)))) {
    const own = old.filter(({ timeline }) => timelineVersion(timeline) === version)
    if (own.some((one) => one.until > until)) continue
    const generations = own.map(({ timeline }) => timelineGeneration(timeline))
    await cleanVersion(deps, { ...target, version }, Math.max(...generations))
    for (const { timeline } of own)
      await deps.assets.update(tenantId, assetId, (title) =>
        formerRetired(title, { timeline }, deps.clock.now()),
      )
    deps.log('info', 'encode.version-retired', { assetId, version })
  }
  return { ok: true }
}
