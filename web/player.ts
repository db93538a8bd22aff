// Plays one title in a dialog: through hls.js wherever there is MSE, since Chromium's own HLS can not read
// AES-128 with fMP4; natively where there is none (iOS).
import type Hls from 'hls.js'
import type { ErrorData } from 'hls.js'
import { type Api, ApiProblem, type Asset } from './api.ts'
import { part, write } from './page.ts'
import { bitrate, qualityName } from './wording.ts'

const dialog = part('#player', HTMLDialogElement)
const video = part('#video', HTMLVideoElement)
const heading = part('#player-title', HTMLElement)
const trouble = part('#player-error', HTMLElement)
const quality = part('#quality', HTMLSelectElement)
const readQuality = part('#read-quality', HTMLElement)
const readBuffer = part('#read-buffer', HTMLElement)
const readFrames = part('#read-frames', HTMLElement)
part('#player-close', HTMLButtonElement).onclick = () => dialog.close()

function readOut(hls: Hls | undefined): void {
  const level = hls?.levels[hls.currentLevel]
  const shown = video.videoHeight ? qualityName({ width: video.videoWidth, height: video.videoHeight }) : '–'
  write(readQuality, level ? `${qualityName(level)} · ${bitrate(level.bitrate)}` : shown)
  const ranges = video.buffered
  let aheadSeconds = 0
  for (let i = 0; i < ranges.length; i += 1)
    if (ranges.start(i) <= video.currentTime + 0.1 && ranges.end(i) > video.currentTime)
      aheadSeconds = ranges.end(i) - video.currentTime
  write(readBuffer, `${aheadSeconds.toFixed(0)} s`)
  const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality()
  write(readFrames, `${totalVideoFrames}${droppedVideoFrames ? `, ${droppedVideoFrames} dropped` : ''}`)
}

function offerQualities(hls: Hls): void {
  const levels = hls.levels.map((level, index) => new Option(qualityName(level), String(index)))
  quality.replaceChildren(new Option('Automatic', '-1'), ...levels.reverse())
  quality.onchange = () => {
    hls.nextLevel = Number(quality.value)
  }
}

const sentences: Record<string, string> = {
  networkError: 'The film can not be reached. Check that the platform runs, then play it again.',
  mediaError: 'This browser can not decode the film.',
}

/** `renew` is called when the platform refuses the session, as it does after hours of pause. */
async function openHls(url: string, renew: () => Promise<string>): Promise<Hls | undefined> {
  const { default: Player } = await import('hls.js')
  if (!Player.isSupported()) {
    video.src = url
    return undefined
  }
  // No worker: segments are fMP4 and only handed on; the page needs no `worker-src` for it.
  // A title that is still being encoded has no end yet, and would start at its live edge.
  const hls = new Player({ enableWorker: false, startPosition: 0, capLevelToPlayerSize: true })
  let renewedAtSeconds = Number.NaN
  let recovered = false
  const fail = (data: ErrorData) => write(trouble, sentences[data.type] ?? 'The film can not be played.')
  hls.on(Player.Events.MANIFEST_PARSED, () => offerQualities(hls))
  hls.on(Player.Events.ERROR, (_event, data) => {
    if (!data.fatal) return
    const refused = data.response?.code === 403
    if (refused && renewedAtSeconds !== video.currentTime) {
      renewedAtSeconds = video.currentTime
      hls.config.startPosition = video.currentTime
      renew().then(
        (fresh) => hls.loadSource(fresh),
        () => fail(data),
      )
    } else if (data.type === Player.ErrorTypes.MEDIA_ERROR && !recovered) {
      recovered = true
      hls.recoverMediaError()
    } else fail(data)
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return hls
}

export async function play(api: Api, asset: Asset): Promise<void> {
  write(heading, asset.title)
  write(trouble, '')
  quality.replaceChildren(new Option('Automatic', '-1'))
  readOut(undefined)
  dialog.showModal()
  const closed = new Promise<void>((resolve) =>
    dialog.addEventListener('close', () => resolve(), { once: true }),
  )
  let hls: Hls | undefined
  const timer = setInterval(() => readOut(hls), 500)
  try {
    const { hlsUrl, posterUrl } = await api.playback(asset.id)
    video.poster = posterUrl
    if (dialog.open) hls = await openHls(hlsUrl, async () => (await api.playback(asset.id)).hlsUrl)
    // Opening the player was the viewer's own act; a browser that wants another one shows its play button.
    if (dialog.open) await video.play().catch(() => {})
  } catch (error) {
    write(trouble, error instanceof ApiProblem ? error.message : 'The player could not be loaded.')
  }
  await closed
  clearInterval(timer)
  hls?.destroy()
  video.pause()
  video.removeAttribute('src')
  video.removeAttribute('poster')
  video.load()
}
