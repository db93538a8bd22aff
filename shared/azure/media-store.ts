// The container `media`: segments, timelines and images, written once and never changed.
import type { MediaStore } from '../assets/ports.ts'
import { Problem } from '../core/problem.ts'
import { readBytes, readFacts } from './blob-read.ts'
import type { BlobContainer } from './blob-service.ts'
import { nameOf } from './failure.ts'

// A batch of the Blob service holds 256 requests at most; a folder is emptied four of them at a time.
const batchSize = 256
const batchesAtOnce = 4
const pageSize = batchesAtOnce * batchSize
const passes = 10

export function createMediaStore(media: BlobContainer): MediaStore {
  const page = (prefix: string, continuationToken: string | undefined) =>
    media.whole(async (container, abortSignal) => {
      const settings = { maxPageSize: pageSize, ...(continuationToken ? { continuationToken } : {}) }
      for await (const listed of container.listBlobsFlat({ prefix, abortSignal }).byPage(settings)) {
        const names = listed.segment.blobItems.map((item) => item.name)
        return { names, next: listed.continuationToken || undefined }
      }
      return { names: [], next: undefined }
    })

  /** A blob that is gone already is as good; what else stays undeleted is an error. */
  const removeBatch = (names: string[]) =>
    media.whole(async (container, abortSignal) => {
      const blobs = names.map((name) => container.getBlobClient(name))
      const { subResponses } = await container.getBlobBatchClient().deleteBlobs(blobs, { abortSignal })
      const failed = subResponses.find(({ status }) => status >= 400 && status !== 404)
      if (failed)
        throw Object.assign(new Error(`a blob can not be deleted: ${failed.errorCode ?? failed.status}`), {
          statusCode: failed.status,
        })
    })

  return {
    putOnce: (blob, bytes, contentType) =>
      media.on(blob, async (client, abortSignal) => {
        try {
          await client.upload(bytes, bytes.byteLength, {
            conditions: { ifNoneMatch: '*' },
            blobHTTPHeaders: { blobContentType: contentType },
            abortSignal,
          })
          return true
        } catch (error) {
          const name = nameOf(error) ?? ''
          if (!['BlobAlreadyExists', 'ConditionNotMet'].includes(name)) throw error
          return false
        }
      }),

    facts: (blob) => media.on(blob, readFacts),
    get: (blob) => media.on(blob, (client, signal) => readBytes(client, signal)),
    read: (blob, range) => media.on(blob, (client, signal) => readBytes(client, signal, range)),

    async remove(blobs) {
      const batches = inBatches(blobs)
      while (batches.length > 0) await Promise.all(batches.splice(0, batchesAtOnce).map(removeBatch))
    },

    async removeFolder(prefix) {
      if (!/^([^/]+\/){2,}$/.test(prefix)) throw new Error(`not a folder of one title: '${prefix}'`)
      for (let pass = 1; pass <= passes; pass++) {
        let found = 0
        let cursor: string | undefined
        do {
          const { names, next } = await page(prefix, cursor)
          await Promise.all(inBatches(names).map(removeBatch))
          found += names.length
          cursor = next
        } while (cursor)
        if (found === 0) return
      }
      throw new Problem('unavailable', { detail: 'Somebody still writes to a folder that is to go.' })
    },
  }
}

const inBatches = (names: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(names.length / batchSize) }, (_, n) =>
    names.slice(n * batchSize, (n + 1) * batchSize),
  )
