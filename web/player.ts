// Plays one title in a dialog, and tells which quality plays, what is buffered, and how many frames were shown.
import type Hls from 'hls.js'
import type { Api, Asset } from './api.ts'
import { ApiProblem } from './call.ts'
import { part, write } from './page.ts'
import { createScrubber } from './scrubber.ts'
import { type Failure, openStream, type Stream } from './stream.ts'
import { bitrate, qualityName } from './wording.ts'

const dialog = part('#player', HTMLDialogElement)
const video = part('#video', HTMLVideoElement)
const heading = part('#player-title', HTMLElement)
const trouble = part('#player-error', HTMLElement)
const quality = part('#quality', HTMLSelectElement)
const readQuality = part('#read-quality', HTMLElement)
const readBuffer = part('#read-buffer', HTMLElement)
const readFrames = part('#read-frames', HTMLElement)
const scrubber = createScrubber(video)
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

const sentences: Record<Failure, string> = {
  refused: 'The platform refuses to play this here: the policy, or a revocation, stands against it.',
  'too-many': 'Too many refused attempts from this network. Wait a minute, then play it again.',
  unreachable: 'The film can not be reached. Check that the platform runs, then play it again.',
  undecodable: 'This browser can not decode the film.',
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
  let stream: Stream | undefined
  const timer = setInterval(() => readOut(stream?.hls), 500)
  try {
    const { hlsUrl, posterUrl, storyboardUrl } = await api.playback(asset.id)
    video.poster = posterUrl
    if (dialog.open) scrubber.open(storyboardUrl)
    if (dialog.open)
      stream = await openStream({
        video,
        url: hlsUrl,
        load: async () => (await import('hls.js')).default,
        // While it plays the platform keeps a session alive by itself; after a long pause it is over.
        renew: async () => (await api.playback(asset.id)).hlsUrl,
        parsed: offerQualities,
        failed: (why) => write(trouble, sentences[why]),
      })
    // Opening the player was the viewer's own act; a browser that wants another one shows its play button.
    if (dialog.open) await video.play().catch(() => {})
  } catch (error) {
    write(trouble, error instanceof ApiProblem ? error.message : 'The player could not be loaded.')
  }
  await closed
  clearInterval(timer)
  stream?.stop()
  scrubber.close()
  video.removeAttribute('poster')
}
