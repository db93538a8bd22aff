// Decides which settings the app gets on one machine: loopback addresses, account keys, and files that stand in for Azure.
import { join } from 'node:path'
import type { Ffmpeg } from './ffmpeg.ts'
import type { LocalSecrets } from './local-tenant.ts'

export interface AppSurroundings {
  stateDirectory: string
  apiUrl: string
  blob: { url: string; name: string; key: string }
  cosmos: { endpoint: string; key: string; database: string }
  secrets: LocalSecrets
  ffmpeg: Ffmpeg
}

/** Laid over the caller's environment, so that any other setting may be given on the command line. */
export const appSettings = (surroundings: AppSurroundings): Record<string, string> => {
  const { stateDirectory, apiUrl, blob, cosmos, secrets, ffmpeg } = surroundings
  return {
    PUBLIC_URL: apiUrl,
    BLOB_URL: blob.url,
    BLOB_ACCOUNT: blob.name,
    BLOB_KEY: blob.key,
    COSMOS_ENDPOINT: cosmos.endpoint,
    COSMOS_KEY: cosmos.key,
    COSMOS_DATABASE: cosmos.database,
    KEK_FILE: join(stateDirectory, 'kek.pem'),
    ADMIN_KEY: secrets.adminKey,
    LOCAL_TENANT_ID: secrets.tenant.id,
    LOCAL_TENANT_KEY: secrets.tenant.apiKey,
    WEBHOOK_ALLOW_LOCAL: 'true',
    FFMPEG_PATH: ffmpeg.ffmpegPath,
    FFPROBE_PATH: ffmpeg.ffprobePath,
  }
}
