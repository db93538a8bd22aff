// The files of this tab on their way to storage: one after another, each with its card, pace and way out.
import type { Api, Asset } from './api.ts'
import type { Card } from './card.ts'
import { forgetUpload } from './memory.ts'
import { createPace } from './pace.ts'
import { announce, notice } from './page.ts'
import { createPriceFirst, quoteOf } from './quote.ts'
import type { Titles } from './titles.ts'
import { calls, uploadFile } from './upload.ts'
import { bytes, money, quoteWords, timeLeft, titleOf } from './wording.ts'

function placeholder(id: string, file: File): Asset {
  return {
    id,
    title: titleOf(file.name),
    fileName: file.name,
    state: 'uploading',
    progress: { percent: 0, stage: 'uploading' },
    durationSeconds: null,
    renditions: [],
    playable: false,
    // Sorts before every time there is: a new upload stands on top.
    createdAt: '~',
  }
}

export function createTransfers({ api, titles, signal }: { api: Api; titles: Titles; signal: AbortSignal }) {
  let last: Promise<unknown> = Promise.resolve()
  let running = 0
  const priceFirst = createPriceFirst(signal)

  async function send(file: File): Promise<void> {
    const stop = new AbortController()
    const before = last
    const whole = Promise.withResolvers<void>()
    last = whole.promise
    let assetId: string | undefined
    let card: Card | undefined
    const pace = createPace()
    const waiting = () =>
      card?.sending({ percent: 0, words: 'Waiting for its turn', detail: bytes(file.size) })
    const cancel = async () => {
      stop.abort(new DOMException('cancelled', 'AbortError'))
      forgetUpload(file)
      if (assetId) titles.discard(assetId)
      if (assetId) await api.remove(assetId).catch((error: Error) => notice(error.message))
    }
    const retry = () => {
      if (assetId) titles.release(assetId)
      void send(file)
    }
    const approve = async (id: string) => {
      if (!priceFirst()) return
      // The next file need not wait until somebody has made up their mind.
      whole.resolve()
      card?.sending({ percent: 100, words: 'Finding the price', detail: bytes(file.size) })
      const ended = AbortSignal.any([signal, stop.signal])
      const quote = await quoteOf(api, id, calls(ended))
      const words = `Encode it for ${money(quote.cost.amount, quote.cost.currency)}?`
      announce(`${titleOf(file.name)}: ${words}`)
      await new Promise<void>((resolve, reject) => {
        ended.addEventListener('abort', () => reject(ended.reason), { once: true })
        card?.sending({ percent: 100, words, detail: quoteWords(quote), approve: resolve })
      })
      card?.sending({ percent: 100, words: 'Uploaded', detail: quoteWords(quote) })
    }
    running += 1
    try {
      await uploadFile({
        approve,
        api,
        file,
        signal: AbortSignal.any([signal, stop.signal]),
        opened(id) {
          assetId = id
          card = titles.adopt(placeholder(id, file), { cancel: () => void cancel(), retry })
          waiting()
        },
        turn: () => before.then(() => AbortSignal.any([signal, stop.signal]).throwIfAborted()),
        progress(sentBytes) {
          const rate = pace(performance.now(), sentBytes)
          const percent = Math.floor((sentBytes / file.size) * 100)
          const left = rate > 0 ? ` · ${timeLeft((file.size - sentBytes) / rate)}` : ''
          card?.sending({
            percent,
            words: `Uploading · ${percent} %`,
            detail: `${bytes(sentBytes)} of ${bytes(file.size)}${left}`,
          })
        },
      })
      announce(`${titleOf(file.name)} is uploaded.`)
      if (assetId) titles.release(assetId)
    } catch (error) {
      if (stop.signal.aborted || signal.aborted) return
      const sentence = (error as Error).message
      if (card) card.stuck(sentence)
      else notice(`${file.name}: ${sentence}`)
      announce(`The upload of ${file.name} stopped. ${sentence}`)
    } finally {
      running -= 1
      whole.resolve()
    }
  }

  addEventListener('beforeunload', (event) => running > 0 && event.preventDefault(), { signal })

  return {
    add(files: Iterable<File>): void {
      for (const file of files) void send(file)
    },
  }
}
