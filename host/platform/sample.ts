// Decides how the sample title comes to be: drawn, uploaded and encoded as a user's own would be, and always after those.
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, type AssetView, createApi } from './api.ts'
import { drawSample } from './draw.ts'
import type { Output } from './output.ts'
import { writePrivately } from './secret-file.ts'
import type { Platform } from './supervisor.ts'

export interface SampleSurroundings {
  platform: Platform
  stateDirectory: string
  output: Output
  signal: AbortSignal
}

/** The key makes a repeat after a kill find the asset that was begun, instead of beginning another. */
interface Note {
  idempotencyKey: string
  assetId?: string
}

const POLL_MS = 500
const TITLE = 'Sample: colours and a chord'
// Shares of the whole that each step has in the bar.
const DRAWN = 0.25
const UPLOADED = 0.35

const isBusy = ({ state }: AssetView): boolean => state === 'uploading' || state === 'encoding'

const othersAreBusy = async (api: Api, own: string | undefined): Promise<boolean> =>
  (await api.assets()).some((asset) => asset.id !== own && isBusy(asset))

const waitForOthers = async (api: Api, own: string | undefined, { output, signal }: SampleSurroundings) => {
  if (!(await othersAreBusy(api, own))) return
  output.line('  The sample title waits until your uploads are done.')
  while (await othersAreBusy(api, own)) await sleep(POLL_MS, undefined, { signal })
}

const fileOf = (stateDirectory: string): string => join(stateDirectory, 'sample.mp4')

const upload = async (
  api: Api,
  note: Note,
  { stateDirectory, platform, output, signal }: SampleSurroundings,
) => {
  const file = fileOf(stateDirectory)
  if (!existsSync(file)) {
    const onProgress = (fraction: number): void => output.progress('drawing a sample title', fraction * DRAWN)
    await drawSample({ ffmpegPath: platform.ffmpeg.ffmpegPath, file, signal, onProgress })
  }
  const { size: sizeBytes } = statSync(file)
  const ticket = await api.open({ fileName: 'sample.mp4', sizeBytes, title: TITLE }, note.idempotencyKey)
  const { BlockBlobClient } = await import('@azure/storage-blob')
  await new BlockBlobClient(ticket.uploadUrl).uploadFile(file, {
    blockSize: Math.min(ticket.blockSizeBytes, 4 * 1024 * 1024),
    abortSignal: signal,
    onProgress: ({ loadedBytes }) =>
      output.progress('uploading it', DRAWN + (UPLOADED - DRAWN) * (loadedBytes / sizeBytes)),
  })
  return ticket.assetId
}

type Outcome = 'ready' | 'yielded' | { failed: string }

const follow = async (
  api: Api,
  assetId: string,
  { output, signal }: SampleSurroundings,
): Promise<Outcome> => {
  for (;;) {
    const asset = await api.asset(assetId)
    if (!asset) return { failed: 'it is gone' }
    if (asset.state === 'ready') return 'ready'
    if (asset.state === 'failed') return { failed: asset.error?.detail ?? 'no reason was given' }
    if (await othersAreBusy(api, assetId)) {
      await api.remove(assetId)
      return 'yielded'
    }
    output.progress(
      `encoding it (${asset.progress.stage})`,
      UPLOADED + (1 - UPLOADED) * (asset.progress.percent / 100),
    )
    await sleep(POLL_MS, undefined, { signal })
  }
}

/** The URL that plays the sample title, once it is there. */
export const ensureSample = async (surroundings: SampleSurroundings): Promise<string> => {
  const { platform, stateDirectory, output, signal } = surroundings
  const api = createApi(platform.apiUrl, platform.secrets.tenant.apiKey, signal)
  const noteFile = join(stateDirectory, 'sample.json')
  const write = (note: Note): Note => {
    writePrivately(noteFile, JSON.stringify(note))
    return note
  }
  const fresh = (): Note => write({ idempotencyKey: randomUUID() })
  let note: Note = existsSync(noteFile) ? JSON.parse(readFileSync(noteFile, 'utf8')) : fresh()

  for (;;) {
    const known = note.assetId ? await api.asset(note.assetId) : undefined
    if (note.assetId && (!known || known.state === 'failed')) note = fresh()
    if (known?.state === 'ready') {
      rmSync(fileOf(stateDirectory), { force: true })
      return api.hlsUrl(known.id)
    }

    await waitForOthers(api, note.assetId, surroundings)
    if (!known || known.state === 'uploading') {
      const assetId = await upload(api, note, surroundings)
      note = write({ ...note, assetId })
      await waitForOthers(api, assetId, surroundings)
      await api.complete(assetId)
    }
    const outcome = await follow(api, note.assetId ?? '', surroundings)
    if (outcome === 'ready') {
      output.done('sample title ready')
      continue
    }
    note = fresh()
    if (outcome !== 'yielded') throw new Error(`The sample title was not made: ${outcome.failed}`)
  }
}
