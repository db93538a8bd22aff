// The stores that live in Blob storage, and whether it answers.
import type { MediaStore, SourceStore } from '../assets/ports.ts'
import type { BlobConfig } from '../config/index.ts'
import { type BlobDeps, openBlobService } from './blob-service.ts'
import { surfacing } from './failure.ts'
import { createMediaStore } from './media-store.ts'
import { createSourceStore } from './source-store.ts'

export interface BlobStores {
  readonly sources: SourceStore
  readonly media: MediaStore
  /** Resolves when the service answers and this application may read there. */
  ping(): Promise<void>
}

/** Opens nothing before the first use. */
export function createBlobStores(config: BlobConfig, deps: BlobDeps): BlobStores {
  const container = openBlobService(config, deps)
  const media = container('media')
  return {
    sources: surfacing(createSourceStore(container('sources'))),
    media: surfacing(createMediaStore(media)),
    ...surfacing({
      async ping() {
        await media.whole((client, abortSignal) => client.getProperties({ abortSignal }))
      },
    }),
  }
}
