// What a tenant's own site does: plays one title in hls.js, in shaka-player, or natively. Runs in the browser.
import Hls from 'hls.js'
import shakaPlayer from 'shaka-player'

// Its types describe an ES module; what is there is the value of a CommonJS one.
const shaka = shakaPlayer as unknown as typeof shakaPlayer.default

export interface Played {
  ended: boolean
  errors: string[]
  frames: number
  size: string
  durationSeconds: number
  /** Of the whole film, as it ended: one range means that there is no gap. */
  ranges: Array<[number, number]>
}

interface Play {
  url: string
  /** Height of the one rendition to play, so that frames can be counted; the lowest where absent. */
  height?: number
  /** Enough, where the end need not be seen. */
  frames?: number
  /** How many times as fast as it was filmed: every frame is still decoded, and counted. */
  speed?: number
}

const fresh = ({ speed = 1 }: Play): HTMLVideoElement => {
  const video = document.createElement('video')
  // What is loaded later begins with the default (HTML, media element load algorithm).
  video.defaultPlaybackRate = speed
  video.playbackRate = speed
  video.width = 640
  video.height = 360
  document.body.replaceChildren(video)
  return video
}

/** However busy the machine is. */
const limitMs = 200_000

/** Plays to the end, to the first error, or until it is enough. */
async function watch(video: HTMLVideoElement, { frames }: Play, errors: string[]): Promise<Played> {
  const stop = new AbortController()
  const { signal } = stop
  video.play().catch((error: Error) => errors.push(`play: ${error.name}`))
  const ended = await new Promise<boolean>((resolve) => {
    video.addEventListener('ended', () => resolve(true), { signal })
    const endsAt = performance.now() + limitMs
    const enough = () => frames !== undefined && video.getVideoPlaybackQuality().totalVideoFrames >= frames
    const timer = setInterval(() => {
      if (video.error) errors.push(`media: ${video.error.code}`)
      if (errors.length > 0 || enough() || performance.now() > endsAt) resolve(false)
    }, 50)
    signal.addEventListener('abort', () => clearInterval(timer))
  })
  stop.abort()
  const { buffered } = video
  return {
    ended,
    errors,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    size: `${video.videoWidth}x${video.videoHeight}`,
    durationSeconds: video.duration,
    ranges: Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]),
  }
}

let close: () => void | Promise<void> = () => {}

async function inHls(play: Play): Promise<Played> {
  const { url, height } = play
  await close()
  const video = fresh(play)
  const errors: string[] = []
  // All that was played stays, so that the ranges at the end tell of every gap.
  const hls = new Hls({ enableWorker: false, startPosition: 0, backBufferLength: Number.POSITIVE_INFINITY })
  close = () => hls.destroy()
  hls.on(Hls.Events.ERROR, (_event, data) => {
    if (data.fatal) errors.push(`hls.js: ${data.details} ${data.response?.code ?? ''}`)
  })
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    hls.loadLevel = Math.max(
      0,
      hls.levels.findIndex((level) => level.height === height),
    )
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return watch(video, play, errors)
}

async function inShaka(play: Play): Promise<Played> {
  const { url, height } = play
  await close()
  const video = fresh(play)
  const errors: string[] = []
  shaka.polyfill.installAll()
  const player = new shaka.Player()
  close = () => player.destroy()
  player.configure({
    abr: { enabled: false },
    ...(height ? { restrictions: { minHeight: height, maxHeight: height } } : {}),
    // Whoever skips where a busy machine stands still decodes some frames twice, and they are counted.
    streaming: { bufferBehind: 600, stallEnabled: false },
  })
  player.addEventListener('error', () => errors.push('shaka-player: error'))
  try {
    await player.attach(video)
    await player.load(url)
  } catch (error) {
    errors.push(
      `shaka-player: ${(error as { code?: number }).code} ${JSON.stringify((error as { data?: unknown[] }).data?.[1])}`,
    )
  }
  return watch(video, play, errors)
}

async function natively(play: Play): Promise<Played> {
  const { url } = play
  await close()
  const video = fresh(play)
  close = () => video.removeAttribute('src')
  video.crossOrigin = 'anonymous'
  video.src = url
  return watch(video, play, [])
}

/** Goes to one moment and stays there. */
async function seek(seconds: number): Promise<void> {
  const video = document.querySelector('video')!
  video.pause()
  const there = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }))
  video.currentTime = seconds
  await there
}

const players = { hls: inHls, shaka: inShaka, native: natively, seek }
declare global {
  interface Window {
    players: typeof players
  }
}
window.players = players
