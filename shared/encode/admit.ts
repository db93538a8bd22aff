// encode-admit: whether a title may begin now, or when it is to ask again. A place is kept for as long as its title is encoded.
import { versionUnderWay } from '../assets/next.ts'
import type { AssetId } from '../core/ids.ts'
import { afterAsk } from './admission.ts'
import type { EncodeDeps } from './deps.ts'
import type { EncodeTarget, Line } from './ports.ts'
import { settle, titleOf } from './watch.ts'
import type { Outcome, Turn } from './work.ts'

const soonestSeconds = 2
const latestSeconds = 30

export const admit = (deps: EncodeDeps, target: EncodeTarget): Promise<Outcome<Turn>> =>
  settle(deps, target, async () => {
    const { tenantId, assetId } = target
    const asset = await titleOf(deps, target)
    const places = deps.limits.tenantTitles
    const over = await findOver(deps, target, await deps.lines.get(tenantId))
    let before = 0
    await deps.lines.change(tenantId, (line) => {
      const next = afterAsk(line, { assetId, over, places })
      before = next.before
      return sameLine(line, next.line) ? 'unchanged' : next.line
    })
    if (before === 0 && !asset.timeline) await deps.openings.add(assetId)
    // A title that waits has at least `places` titles before it.
    const waitSeconds = before === 0 ? 0 : Math.min(latestSeconds, soonestSeconds + before - places)
    return { ok: true, waitSeconds }
  })

/**
 * Nobody has to give a place back: it is free once its title is not encoded any more, whatever became of its encode. A
 * title that was lost is started again by the sweep, and finds its place. Of those that wait only the first can be in the
 * way.
 */
async function findOver(
  deps: EncodeDeps,
  target: EncodeTarget,
  line: Line | undefined,
): Promise<Set<AssetId>> {
  const asked = [...(line?.running ?? []), ...(line?.waiting ?? []).slice(0, deps.limits.tenantTitles)]
  const others = asked.filter((id) => id !== target.assetId)
  const states = await Promise.all(
    others.map(async (id) => {
      const asset = await deps.assets.get(target.tenantId, id)
      return asset && versionUnderWay(asset) !== undefined
    }),
  )
  return new Set(others.filter((_, n) => !states[n]))
}

const sameLine = (before: Line | undefined, after: Line): boolean =>
  before !== undefined &&
  JSON.stringify([before.running, before.waiting]) === JSON.stringify([after.running, after.waiting])
