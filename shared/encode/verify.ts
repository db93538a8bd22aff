// encode-verify: whether the file is the one that its tenant announced, and all of it the film that was planned.
import { createHash } from 'node:crypto'
import { Problem } from '../core/problem.ts'
import type { EncodeDeps } from './deps.ts'
import { measure } from './length.ts'
import type { Plan } from './plan.ts'
import { readTitle, withSource } from './unit.ts'
import { settle, underWatch } from './watch.ts'
import type { Outcome, PlannedTarget } from './work.ts'

const stepBytes = 4 << 20
/** A film of 100 GB must be through before the host ends the worker: storage's delays are waited for side by side. */
const readsAhead = 4

/** Pictures are read to the end that was planned; whether there are more behind it an index tells, or the sound. */
export const isUnheard = ({ audio, source }: Omit<Plan, 'hash'>): boolean => !audio && !source.indexed

export const verify = (deps: EncodeDeps, input: PlannedTarget): Promise<Outcome> =>
  settle(deps, input, async () => {
    const { title, plan } = await readTitle(deps, input)
    const { source } = title
    if (source.sha256 !== undefined) {
      const digest = await underWatch(deps, { target: input }, (signal) => digestOf(deps, plan, signal))
      deps.log('info', 'encode.read', { assetId: input.assetId, unit: 'checksum', bytes: source.sizeBytes })
      if (digest !== source.sha256.toLowerCase()) throw new Problem('checksum-mismatch')
    }
    if (isUnheard(plan)) await requireOneClock(deps, input, plan)
    return { ok: true }
  })

async function digestOf(deps: EncodeDeps, { source }: Plan, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const coming: Promise<Uint8Array>[] = []
  let offset = 0
  const read = () => {
    if (offset >= source.sizeBytes) return
    const count = Math.min(stepBytes, source.sizeBytes - offset)
    const part = deps.sources.read(source.blob, { offset, count, etag: source.etag })
    // One that fails while an earlier one is awaited is told when its turn comes.
    part.catch(() => {})
    coming.push(part)
    offset += count
  }
  for (let n = 0; n < readsAhead; n++) read()
  for (let part = coming.shift(); part; part = coming.shift()) {
    signal.throwIfAborted()
    hash.update(await part)
    read()
  }
  return hash.digest('hex')
}

/** Its packets are read, and nothing is decoded. */
const requireOneClock = (deps: EncodeDeps, input: PlannedTarget, plan: Plan) =>
  withSource(deps, { plan, assetId: input.assetId, unit: 'packets' }, (opened) =>
    underWatch(deps, { target: input }, (signal) => {
      const stop = AbortSignal.any([signal, opened.failed])
      const { stream: index, startSeconds } = plan.video
      return measure(deps, { container: plan.source, opened, stop, video: { index, startSeconds } })
    }),
  )
