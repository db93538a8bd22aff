// Who else has a say while a unit works: its title, which may fail, be deleted, or want to know how far it has come.
import { failed, progressed, wakingEncoders } from '../assets/machine.ts'
import type { Asset } from '../assets/model.ts'
import { encodeOf } from '../assets/next.ts'
import { Problem, type ProblemCode } from '../core/problem.ts'
import { takeBack } from './clean.ts'
import type { EncodeDeps } from './deps.ts'
import type { Plan } from './plan.ts'
import type { EncodeTarget, Unit } from './ports.ts'
import { publish } from './publish.ts'
import { addUp, jobOf } from './units.ts'
import type { Failure } from './work.ts'

const pollMs = 2000

/** What no repetition cures: the title fails with it at once. Everything else is thrown and tried again. */
export const final = (code: ProblemCode): boolean =>
  /^(source|encode)-|^checksum-mismatch$|^cap-exceeded$|^asset-failed$|^not-found$/.test(code)

/** The title as it is being encoded at this version; `asset-failed` once it is not any more. */
export const titleOf = async (deps: EncodeDeps, target: EncodeTarget): Promise<Encoding> =>
  encodingOf(await deps.assets.get(target.tenantId, target.assetId), target)

type Encoding = Asset & { source: { etag: string } }

function encodingOf(found: Asset | undefined, target: EncodeTarget): Encoding {
  const asset = found && encodeOf(found, target.version)
  const etag = asset?.source.etag
  if (asset?.state !== 'encoding' || asset.version !== target.version || etag === undefined)
    throw new Problem('asset-failed')
  return { ...asset, source: { ...asset.source, etag } }
}

/**
 * Runs `work`; a failure that is final fails the title at once, and takes everything of it away without waiting for a
 * place in the queue. A plan that this ffmpeg can't go on with is told, not blamed on the title.
 */
export async function settle<T>(
  deps: EncodeDeps,
  target: EncodeTarget,
  work: () => Promise<T>,
): Promise<T | Failure> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || !final(error.code)) throw error
    const { code, message: detail } = error
    if (code === 'encode-outdated') return { ok: false, code, detail }
    await failTitle(deps, target, { code, detail })
    // Also what this unit may have written after an earlier cleaning.
    await takeBack(deps, target)
    return { ok: false, code, detail }
  }
}

export async function failTitle(
  deps: EncodeDeps,
  target: EncodeTarget,
  { code, detail }: { code: ProblemCode; detail?: string | undefined },
): Promise<void> {
  const { tenantId, assetId, version } = target
  try {
    await deps.assets.update(tenantId, assetId, (asset) =>
      failed(asset, { version, code, detail }, deps.clock.now()),
    )
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'not-found')) throw error
  }
}

export interface Watched {
  readonly target: EncodeTarget
  /** How far this unit is; written down and added up with the others', and shown to players as far as all have come. */
  readonly report?: () => { plan: Plan; unit: Unit }
}

/** Runs `work` with a signal that ends it, with `asset-failed`, soon after the title is not being encoded any more. */
export async function underWatch<T>(
  deps: EncodeDeps,
  watched: Watched,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  let over = false
  let looking: Promise<void> = Promise.resolve()
  async function look(): Promise<void> {
    try {
      const asset = await deps.assets.get(watched.target.tenantId, watched.target.assetId)
      encodingOf(asset, watched.target)
      if (watched.report) await report(deps, watched.target, { ...watched.report(), asset })
    } catch (error) {
      if (error instanceof Problem && final(error.code)) abort.abort(error)
      else deps.log('warn', 'encode.look-failed', { assetId: watched.target.assetId, error: String(error) })
    }
  }
  async function keepLooking(): Promise<void> {
    while (!over && !abort.signal.aborted) {
      await deps.clock.wait(pollMs)
      if (over) return
      looking = look()
      await looking
    }
  }
  void keepLooking()
  try {
    return await work(abort.signal)
  } finally {
    over = true
    await looking
  }
}

async function report(
  deps: EncodeDeps,
  target: EncodeTarget,
  { plan, unit, asset }: { plan: Plan; unit: Unit; asset: Asset | undefined },
): Promise<void> {
  await deps.ledger.put(unit)
  await showTotal(deps, target, plan, asset)
  await publish(deps, target, plan, asset)
}

/** Frames done of frames planned, over all units; the document is only written when a whole percent is new. */
export async function showTotal(
  deps: EncodeDeps,
  target: EncodeTarget,
  plan: Plan,
  asset?: Asset,
): Promise<void> {
  const { frames } = addUp(plan, await deps.ledger.read(jobOf(target)))
  const etaSeconds = deps.pace.estimate(jobOf(target), frames, plan.video.frames)
  const percent = Math.floor((100 * frames) / plan.video.frames)
  const facts = { version: target.version, percent, stage: 'encoding', etaSeconds } as const
  const { version } = target
  const next = (current: Asset) => {
    const nowMs = deps.clock.now()
    const woken = deps.isOffered ? wakingEncoders(current, { version, waits: false }, nowMs) : 'unchanged'
    const moved = progressed(woken === 'unchanged' ? current : woken, facts, nowMs)
    return moved === 'unchanged' ? woken : moved
  }
  if (asset && next(asset) === 'unchanged') return
  await deps.assets.update(target.tenantId, target.assetId, next)
}
