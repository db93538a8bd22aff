// encode-verify: whether the file is the one that its tenant announced, by the SHA-256 given at the upload.
import { createHash } from 'node:crypto'
import { Problem } from '../core/problem.ts'
import type { EncodeDeps } from './deps.ts'
import type { EncodeTarget } from './ports.ts'
import { settle, titleOf, underWatch } from './watch.ts'
import type { Outcome } from './work.ts'

const stepBytes = 4 << 20
/** A film of 100 GB must be through before the host ends the worker: storage's delays are waited for side by side. */
const readsAhead = 4

export const verify = (deps: EncodeDeps, target: EncodeTarget): Promise<Outcome> =>
  settle(deps, target, async () => {
    const { source } = await titleOf(deps, target)
    if (source.sha256 === undefined) return { ok: true }
    const digest = await underWatch(deps, { target }, async (signal) => {
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
    })
    deps.log('info', 'encode.read', { assetId: target.assetId, unit: 'checksum', bytes: source.sizeBytes })
    if (digest !== source.sha256.toLowerCase()) throw new Problem('checksum-mismatch')
    return { ok: true }
  })
