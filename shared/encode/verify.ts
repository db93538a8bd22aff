// encode-verify: whether the file is the one that its tenant announced, by the SHA-256 given at the upload.
import { createHash } from 'node:crypto'
import { Problem } from '../core/problem.ts'
import type { EncodeDeps } from './deps.ts'
import type { EncodeTarget } from './ports.ts'
import { settle, titleOf, underWatch } from './watch.ts'
import type { Outcome } from './work.ts'

const stepBytes = 4 << 20

export const verify = (deps: EncodeDeps, target: EncodeTarget): Promise<Outcome> =>
  settle(deps, target, async () => {
    const { source } = await titleOf(deps, target)
    if (source.sha256 === undefined) return { ok: true }
    const digest = await underWatch(deps, { target }, async (signal) => {
      const hash = createHash('sha256')
      for (let offset = 0; offset < source.sizeBytes; offset += stepBytes) {
        signal.throwIfAborted()
        const count = Math.min(stepBytes, source.sizeBytes - offset)
        hash.update(await deps.sources.read(source.blob, { offset, count, etag: source.etag }))
      }
      return hash.digest('hex')
    })
    if (digest !== source.sha256.toLowerCase()) throw new Problem('checksum-mismatch')
    return { ok: true }
  })
