// What is taken away of a title: everything, once it failed or was deleted; one version, when it failed beside another or was replaced.
import { timelineVersion } from '../assets/machine.ts'
import { type Asset, mediaFolder, sourceBlob, titleFolder } from '../assets/model.ts'
import { latestVersion, versionUnderWay } from '../assets/next.ts'
import { afterLeave } from './admission.ts'
import type { EncodeDeps } from './deps.ts'
import type { EncodeTarget } from './ports.ts'
import { jobOf } from './units.ts'

/** Source, media of all versions, units, content keys, and its place in the line. Repeatable, and right at any moment after the failure. */
async function clean(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  const { tenantId, assetId: id } = target
  const versions = Array.from({ length: target.version }, (_, n) => n + 1)
  for (const each of versions) await removeOffers(deps, { ...target, version: each })
  await deps.sources.remove(sourceBlob({ tenantId, id }))
  await deps.media.removeFolder(titleFolder({ tenantId, id }))
  for (const each of versions) await removeJob(deps, { ...target, version: each })
  await deps.sealer.forget(id)
  await deps.openings.remove(id)
  await deps.lines.change(tenantId, (line) =>
    line && [...line.running, ...line.waiting].includes(id) ? afterLeave(line, id) : 'unchanged',
  )
}

/** Media, units and content keys of one version, up to that generation of them. */
export async function cleanVersion(deps: EncodeDeps, target: EncodeTarget, latest = 0): Promise<void> {
  const { assetId, version } = target
  await removeOffers(deps, target)
  for (let generation = 0; generation <= latest; generation++)
    await deps.sealer.retire({ assetId, version, generation })
  await deps.media.removeFolder(mediaFolder({ ...target, id: assetId }))
  await removeJob(deps, target)
}

async function removeJob(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  await deps.units.removeJob(jobOf(target))
  // One more may have come while media went.
  await removeOffers(deps, target)
}

/** Before all else: workers are woken for them. */
async function removeOffers(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  await deps.offers.removeJob(jobOf(target))
  deps.backlog.changed()
}

/**
 * Whatever is left of an encode that is over, as far as nobody plays it: of a title that failed or is gone, all of it; of
 * one that goes on, this version, unless it is the title's, is being made, or is what players began with.
 */
export async function takeBack(deps: EncodeDeps, target: EncodeTarget): Promise<void> {
  const asset = await deps.assets.get(target.tenantId, target.assetId)
  if (!asset || asset.state === 'failed')
    await clean(deps, { ...target, version: asset ? latestVersion(asset) : target.version })
  else if (!isKept(asset, target.version)) await cleanVersion(deps, target)
}

const isKept = (asset: Asset, version: number): boolean =>
  version === asset.version ||
  version === versionUnderWay(asset) ||
  (asset.former ?? []).some(({ timeline }) => timelineVersion(timeline) === version)
