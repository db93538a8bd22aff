// The container `sources`: where tenants put their files by SAS, and where they are read from under a pinned ETag.
import type { BlockBlobClient } from '@azure/storage-blob'
import type { SourceStore } from '../assets/ports.ts'
import { Problem } from '../core/problem.ts'
import { absentAsUndefined, readBytes, readFacts } from './blob-read.ts'
import type { BlobContainer } from './blob-service.ts'
import { nameOf, statusOf } from './failure.ts'

/** Who may write a blob may also set its tier; from the archive nothing comes for hours. */
const archived = 'It lies in the archive tier. Upload it again, in the hot or the cool tier.'

export function createSourceStore(sources: BlobContainer): SourceStore {
  return {
    uploadUrl: (blob, expiresAtMs) => sources.sign(blob, 'cw', expiresAtMs),
    readUrl: (blob, expiresAtMs) => sources.sign(blob, 'r', expiresAtMs),
    facts: (blob) => sources.on(blob, readFacts),

    blocks: (blob) => sources.on(blob, readBlocks),

    read: (blob, range) =>
      sources.on(blob, async (client, signal) => {
        try {
          const bytes = await readBytes(client, signal, range)
          if (bytes) return bytes
        } catch (error) {
          if (nameOf(error) === 'BlobArchived') throw new Problem('source-unreadable', { detail: archived })
          if (statusOf(error) !== 412) throw error
        }
        throw new Problem('source-changed')
      }),

    remove: (blob) =>
      sources.on(blob, async (client, abortSignal) => {
        await removeWhole(client, abortSignal)
        // Blocks that were never committed would lie there for a week; a blob that is put over them takes them along.
        if ((await readBlocks(client, abortSignal)).length === 0) return
        await client.upload('', 0, { abortSignal })
        await removeWhole(client, abortSignal)
      }),
  }
}

async function readBlocks(client: BlockBlobClient, abortSignal: AbortSignal) {
  const list = await client.getBlockList('uncommitted', { abortSignal }).catch(absentAsUndefined)
  return (list?.uncommittedBlocks ?? []).map(({ name, size }) => ({ id: name, sizeBytes: size }))
}

/** Who may write a blob may also take snapshots of it and lease it; neither keeps it from being deleted. */
async function removeWhole(client: BlockBlobClient, abortSignal: AbortSignal): Promise<void> {
  const drop = () => client.deleteIfExists({ deleteSnapshots: 'include', abortSignal })
  try {
    await drop()
  } catch (error) {
    if (nameOf(error) !== 'LeaseIdMissing') throw error
    await client.getBlobLeaseClient().breakLease(0, { abortSignal })
    await drop()
  }
}
