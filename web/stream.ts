// How a film is played from its URL, in the console and on any page: through hls.js wherever there is MSE, since
// Chromium's own HLS can not read AES-128 with fMP4; natively where there is none (iPhones).
import type Hls from 'hls.js'
import type { ErrorData, HlsConfig } from 'hls.js'

export type Failure = 'refused' | 'too-many' | 'unreachable' | 'undecodable'

export interface StreamOptions {
  video: HTMLVideoElement
  url: string
  /** Where hls.js comes from. */
  load(): Promise<typeof Hls>
  /** Where to go on after a refusal; asked once, and again only after something could be played. */
  renew(): Promise<string>
  parsed?(hls: Hls): void
  failed(why: Failure): void
}

export interface Stream {
  hls?: Hls
  stop(): void
}

const config: Partial<HlsConfig> = {
  // Segments are fMP4 and only handed on: no worker, so that a page needs no `worker-src`.
  enableWorker: false,
  // A title that is still being encoded has no end yet, and would start at its live edge.
  startPosition: 0,
  capLevelToPlayerSize: true,
  // By default hls.js holds up to 60 MB, which may be minutes: fetched for nothing when the viewer leaves, and shown
  // for minutes after a session was revoked.
  maxBufferLength: 20,
  maxMaxBufferLength: 30,
}

const failureOf = (status: number): Failure =>
  status === 403 ? 'refused' : status === 429 ? 'too-many' : 'unreachable'

const whyOf = ({ type, response }: ErrorData): Failure =>
  type === 'mediaError' || type === 'muxError' ? 'undecodable' : failureOf(response?.code ?? 0)

export async function openStream(options: StreamOptions): Promise<Stream> {
  const Player = await options.load()
  return Player.isSupported() ? throughHls(Player, options) : natively(options)
}

function empty(video: HTMLVideoElement): void {
  video.pause()
  video.removeAttribute('src')
  video.load()
}

function throughHls(Player: typeof Hls, { video, url, renew, parsed, failed }: StreamOptions): Stream {
  const hls = new Player(config)
  let renewed = false
  let recovered = false
  let resume = false

  function fail(why: Failure): void {
    // A refusal ends the film at once, whatever is in the buffer; what a lost connection left may be seen.
    if (why !== 'unreachable') {
      hls.destroy()
      empty(video)
    }
    failed(why)
  }
  function goOn(): void {
    renewed = true
    resume = !video.paused
    hls.config.startPosition = video.currentTime
    renew().then(
      (fresh) => hls.loadSource(fresh),
      () => fail('refused'),
    )
  }
  hls.on(Player.Events.MANIFEST_PARSED, () => {
    parsed?.(hls)
    // A new source pauses the element (HTML, media element load algorithm).
    if (resume) void video.play().catch(() => {})
  })
  hls.on(Player.Events.FRAG_BUFFERED, () => {
    renewed = false
  })
  hls.on(Player.Events.ERROR, (_event, data) => {
    if (!data.fatal) return
    const why = whyOf(data)
    if (why === 'refused' && !renewed) goOn()
    else if (why === 'undecodable' && !recovered) {
      recovered = true
      hls.recoverMediaError()
    } else fail(why)
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return { hls, stop: () => stopWith(() => hls.destroy(), video) }
}

/** The element does not tell the status of what it could not load, so that is asked for. */
function natively({ video, url, failed }: StreamOptions): Stream {
  const stop = new AbortController()
  video.addEventListener(
    'error',
    async () => {
      const status = await fetch(url, { signal: stop.signal }).then(
        (response) => response.status,
        () => 0,
      )
      if (!stop.signal.aborted) failed(status === 200 ? 'undecodable' : failureOf(status))
    },
    { signal: stop.signal },
  )
  video.src = url
  return { stop: () => stopWith(() => stop.abort(), video) }
}

function stopWith(end: () => void, video: HTMLVideoElement): void {
  end()
  empty(video)
}
