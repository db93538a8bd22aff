// The container `sources`: where tenants put their files by SAS, and where they are read from under a pinned ETag.
import type { SourceStore } from '../assets/ports.ts'
import { Problem } from '../core/problem.ts'
import { absentAsUndefined, readBytes, readFacts } from './blob-read.ts'
import type { BlobContainer } from './blob-service.ts'
import { statusOf } from './failure.ts'

export function createSourceStore(sources: BlobContainer): SourceStore {
  return {
    uploadUrl: (blob, expiresAtMs) => sources.sign(blob, 'cw', expiresAtMs),
    readUrl: (blob, expiresAtMs) => sources.sign(blob, 'r', expiresAtMs),
    facts: (blob) => sources.on(blob, readFacts),

    blocks: (blob) =>
      sources.on(blob, async (client, abortSignal) => {
        const list = await client.getBlockList('uncommitted', { abortSignal }).catch(absentAsUndefined)
        return (list?.uncommittedBlocks ?? []).map(({ name, size }) => ({ id: name, sizeBytes: size }))
      }),

    read: (blob, range) =>
      sources.on(blob, async (client, signal) => {
        try {
          const bytes = await readBytes(client, signal, range)
          if (bytes) return bytes
        } catch (error) {
          if (statusOf(error) !== 412) throw error
        }
        throw new Problem('source-changed')
      }),

    async remove(blob) {
      await sources.on(blob, (client, abortSignal) => client.deleteIfExists({ abortSignal }))
    },
  }
}
