// How a new KEK takes over: each envelope is opened by the one that wrapped it and wrapped by the newest. No media is touched.
import type { Log } from '../core/log.ts'
import { Problem } from '../core/problem.ts'
import type { Kek, KeyStore, WrappedKeys } from './ports.ts'
import type { Rewrapped } from './work.ts'

/** Far more than should ever be lost: those are found again each time, and the others must be found beside them. */
const usualBatchSize = 1000
const atOnce = 4

export interface RewrapDeps {
  readonly keys: KeyStore
  readonly kek: Kek
  readonly log: Log
  readonly batchSize?: number
}

export function createRewrap({ keys, kek, log, batchSize = usualBatchSize }: RewrapDeps) {
  /** False when no key that is there opens it. */
  async function rewrapOne(envelope: WrappedKeys): Promise<boolean> {
    const { assetId, id, kekId, wrapped } = envelope
    let plain: Uint8Array
    try {
      plain = await kek.unwrap(kekId, Buffer.from(wrapped, 'base64'))
    } catch (error) {
      if (error instanceof Problem) throw error
      const cause = String(error).slice(0, 500)
      log('error', 'protect.rewrap-failed', { assetId, envelope: id, kek: kekId, cause })
      return false
    }
    const anew = await kek.wrap(plain)
    plain.fill(0)
    const next = { kekId: anew.kekId, wrapped: Buffer.from(anew.wrapped).toString('base64') }
    await keys
      .update(assetId, id, (current) =>
        current.wrapped === wrapped && current.kekId === kekId ? { ...current, ...next } : 'unchanged',
      )
      .catch((error: unknown) => {
        // Its title was deleted meanwhile.
        if (!(error instanceof Problem && error.code === 'not-found')) throw error
      })
    return true
  }

  return {
    /** One batch. Run twice at once, each envelope is changed once: by its ETag, and only from what was read. */
    async rewrap(): Promise<Rewrapped> {
      const current = await kek.currentId()
      const found = await keys.findWrappedByOther(current, batchSize)
      const waiting = [...found]
      let lost = 0
      const work = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) if (!(await rewrapOne(next))) lost++
      }
      await Promise.all(Array.from({ length: atOnce }, work))
      if (found.length > 0) log('info', 'protect.rewrapped', { envelopes: found.length - lost, lost })
      return { found: found.length, lost }
    },

    /** Which KEK wraps now, and how many envelopes still need another one: 1000 stands for any more. */
    async outdated(): Promise<{ kekId: string; remaining: number }> {
      const kekId = await kek.currentId()
      return { kekId, remaining: (await keys.findWrappedByOther(kekId, batchSize)).length }
    },
  }
}
