// What is taken away of a title: everything, once it failed or was deleted; all but the source, when it is encoded anew.
import { mediaFolder, sourceBlob, titleFolder } from '../assets/model.ts'
import type { EncodeDeps } from './deps.ts'
import type { EncodeTarget } from './ports.ts'
import { jobOf } from './units.ts'

/** Source, media of all versions, units and content keys. Repeatable, and right at any moment after the failure. */
export async function clean(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  const { tenantId, assetId: id } = target
  const versions = Array.from({ length: target.version }, (_, n) => n + 1)
  await deps.sources.remove(sourceBlob({ tenantId, id }))
  await deps.media.removeFolder(titleFolder({ tenantId, id }))
  for (const each of versions) await deps.units.removeJob(jobOf({ ...target, version: each }))
  await deps.sealer.forget(id)
}

/** Media, units and content keys of one version. */
export async function cleanVersion(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  const { assetId } = target
  await deps.media.removeFolder(mediaFolder({ ...target, id: assetId }))
  await deps.units.removeJob(jobOf(target))
  await deps.sealer.forget(assetId)
}
