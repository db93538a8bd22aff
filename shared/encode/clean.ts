// What is taken away of a title: everything, once it failed or was deleted; all but the source, when it is encoded anew.
import type { EncodeDeps } from './deps.ts'
import type { EncodeTarget } from './ports.ts'
import { jobOf } from './units.ts'

/** Source, media of all versions, units and content keys. Repeatable, and right at any moment after the failure. */
export async function clean(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  const { tenantId, assetId, version } = target
  const versions = Array.from({ length: version }, (_, n) => n + 1)
  await deps.sources.remove(`${tenantId}/${assetId}/source`)
  await deps.media.removeFolder(`${tenantId}/${assetId}/`)
  for (const each of versions) await deps.units.removeJob(jobOf({ ...target, version: each }))
  await deps.sealer.forget(assetId)
}

/** Media, units and content keys of one version. */
export async function cleanVersion(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  const { tenantId, assetId, version } = target
  await deps.media.removeFolder(`${tenantId}/${assetId}/v${version}/`)
  await deps.units.removeJob(jobOf(target))
  await deps.sealer.forget(assetId)
}
