// Sends one file straight to storage, several blocks at a time, and goes on where an earlier attempt stopped.
import type { Api, UploadStanding } from './api.ts'
import { type Block, blockList, blockListUrl, blocksToSend, blockUrl, cutIntoBlocks } from './blocks.ts'
import { ApiProblem } from './call.ts'
import { forgetUpload, recallUpload, rememberUpload } from './memory.ts'
import { patiently } from './patience.ts'
import { put, StorageRefusal } from './storage.ts'
import { titleOf } from './wording.ts'

export interface Upload {
  api: Api
  file: File
  signal: AbortSignal
  /** The title exists from here on. */
  opened(assetId: string): void
  /** Resolves when it is this file's turn. */
  turn(): Promise<void>
  progress(sentBytes: number): void
  /** The whole file is there: resolves when it is to be encoded. */
  approve(assetId: string): Promise<void>
}

const atOnce = 4

/** What may pass, and how long it asked us to wait. */
export const calls = (signal: AbortSignal) => ({
  signal,
  passing: (error: unknown) => error instanceof ApiProblem && error.passing,
  asked: (error: unknown) => (error instanceof ApiProblem ? error.retryAfterSeconds : undefined),
})

/** Opens an upload, or finds the one that this file began in this tab. */
async function open({
  api,
  file,
  signal,
}: Upload): Promise<UploadStanding & { assetId: string; resumed: boolean }> {
  const known = recallUpload(file)
  if (known) {
    try {
      return { ...(await patiently(() => api.upload(known), calls(signal))), assetId: known, resumed: true }
    } catch (error) {
      // Deleted, abandoned or completed meanwhile: this is a new upload of the same file.
      if (!(error instanceof ApiProblem) || error.passing || error.status === 401) throw error
      forgetUpload(file)
    }
  }
  const request = { fileName: file.name, sizeBytes: file.size, title: titleOf(file.name).slice(0, 200) }
  // One key for all attempts: an answer that got lost does not leave a second title behind.
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18))))
  const ticket = await patiently(() => api.createUpload(request, key), calls(signal))
  rememberUpload(file, ticket.assetId)
  return { ...ticket, blocks: [], resumed: false }
}

/**
 * Puts with the URL at hand; when storage refuses it as expired, with a fresh one, fetched once for all blocks.
 * No answer at all may be a refusal too: without CORS headers a browser does not show it.
 */
function createPutter(api: Api, assetId: string, firstUrl: string) {
  let url = Promise.resolve(firstUrl)
  return async (toUrl: (uploadUrl: string) => string, body: Blob | string, more: PutMore): Promise<void> => {
    const work = async () => {
      const used = url
      try {
        await put({ url: toUrl(await used), body, ...more })
      } catch (error) {
        if (!(error instanceof StorageRefusal) || (error.status !== 403 && error.status !== 0)) throw error
        if (url === used) {
          url = patiently(() => api.upload(assetId), calls(more.signal)).then(
            (standing) => standing.uploadUrl,
          )
          url.catch(() => {})
        }
        await put({ url: toUrl(await url), body, ...more })
      }
    }
    const passing = (error: unknown) => error instanceof StorageRefusal && error.passing
    await patiently(work, { signal: more.signal, passing, attempts: 10 })
  }
}
interface PutMore {
  signal: AbortSignal
  sent?(bytes: number): void
}

async function sendBlocks(
  upload: Upload,
  todo: Block[],
  putter: ReturnType<typeof createPutter>,
): Promise<void> {
  const { file } = upload
  const halt = new AbortController()
  const signal = AbortSignal.any([upload.signal, halt.signal])
  const inFlight = new Map<string, number>()
  let doneBytes = file.size - todo.reduce((sum, { start, end }) => sum + end - start, 0)
  let most = 0
  // A block that is sent again does not take back what was shown.
  const tell = () => {
    const sent = [...inFlight.values()].reduce((sum, bytes) => sum + bytes, doneBytes)
    most = Math.min(Math.max(most, sent), file.size)
    upload.progress(most)
  }
  const queue = todo.values()
  const lane = async () => {
    for (const { id, start, end } of queue) {
      const sent = (bytes: number) => {
        inFlight.set(id, Math.min(bytes, end - start))
        tell()
      }
      await putter((url) => blockUrl(url, id), file.slice(start, end), { signal, sent })
      inFlight.delete(id)
      doneBytes += end - start
      tell()
    }
  }
  tell()
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, todo.length) }, lane))
  } catch (error) {
    halt.abort(error)
    throw (await unreadable(file)) ?? error
  }
}

/** A file that was moved or changed under the browser's hands looks like a dead network: find out which it is. */
async function unreadable(file: File): Promise<Error | undefined> {
  const sentence = 'The file can not be read any more: it was moved or changed. Choose it again.'
  return await file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => undefined,
      (cause) => new Error(sentence, { cause }),
    )
}

export async function uploadFile(upload: Upload): Promise<void> {
  const { api, file, signal } = upload
  const standing = await open(upload)
  upload.opened(standing.assetId)
  await upload.turn()
  const complete = async () => {
    await upload.approve(standing.assetId)
    await patiently(() => api.complete(standing.assetId), calls(signal))
  }
  const putter = createPutter(api, standing.assetId, standing.uploadUrl)
  const blocks = cutIntoBlocks(file.size, standing.blockSizeBytes)
  // Without a staged block the list may have been committed already, and only `complete` be missing.
  const committed = standing.resumed && standing.blocks.length === 0
  if (!committed || !(await complete().then(() => true, refusedAs('upload-')))) {
    await sendBlocks(upload, blocksToSend(blocks, standing.blocks), putter)
    await putter(blockListUrl, blockList(blocks), { signal })
    await complete()
  }
  forgetUpload(file)
}

/** False for a refusal whose code begins so; everything else stays an error. */
const refusedAs = (prefix: string) => (error: unknown) => {
  if (error instanceof ApiProblem && error.code.startsWith(prefix)) return false
  throw error
}
