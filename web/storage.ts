// One PUT to Blob storage: by XMLHttpRequest, since fetch does not tell how much of a body has left.

export class StorageRefusal extends Error {
  override readonly name = 'StorageRefusal'
  /** 0 when there was no answer at all. */
  readonly status: number
  constructor(status: number) {
    super(status ? `Storage answered ${status}.` : 'Storage does not answer.')
    this.status = status
  }
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

export interface Put {
  url: string
  body: Blob | string
  signal: AbortSignal
  sent?(bytes: number): void
}

/** A body of which nothing more leaves for this long is given up, and sent again. */
const stalledMs = 60_000

export function put({ url, body, signal, sent }: Put): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    let watchdog = setTimeout(abort, stalledMs)
    const stir = () => {
      clearTimeout(watchdog)
      watchdog = setTimeout(abort, stalledMs)
    }
    request.upload.onprogress = (event) => {
      stir()
      sent?.(event.loaded)
    }
    request.onloadend = () => {
      clearTimeout(watchdog)
      signal.removeEventListener('abort', abort)
      if (signal.aborted) reject(signal.reason)
      else if (request.status >= 200 && request.status < 300) resolve()
      else reject(new StorageRefusal(request.status))
    }
    signal.addEventListener('abort', abort, { once: true })
    request.open('PUT', url)
    request.send(body)
  })
}
