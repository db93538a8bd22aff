// The bar below the film: shows where it is, takes one to any moment, by pointer or by keys, and shows what is there.
import { part, write } from './page.ts'
import { loadStoryboard, type Tile, tileAt } from './storyboard.ts'
import { clockTime } from './wording.ts'

const bar = part('#scrubber', HTMLElement)
const seek = part('#seek', HTMLInputElement)
const clock = part('#seek-clock', HTMLElement)
const peek = part('#peek', HTMLElement)
const picture = part('#peek-tile', HTMLElement)
const moment = part('#peek-time', HTMLElement)

/** As wide as the style sheet makes the thumb: its middle stands for the moment. */
const thumbPx = 14
const stepSeconds = 5
/** How long the picture stays after a key. */
const lingerMs = 1500

export function createScrubber(video: HTMLVideoElement) {
  let tiles: Tile[] = []
  let dragging = false
  let peekedSeconds = 0
  let stop = new AbortController()
  let linger: ReturnType<typeof setTimeout> | undefined

  /** Of a film that still grows: what there is of it. */
  const length = (): number => {
    if (Number.isFinite(video.duration)) return video.duration
    return video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) : 0
  }

  function tell(atSeconds: number): void {
    const [at, all] = [clockTime(Math.floor(atSeconds)), clockTime(Math.floor(length()))]
    write(clock, `${at} / ${all}`)
    seek.setAttribute('aria-valuetext', `${at} of ${all}`)
  }

  function follow(): void {
    seek.max = String(length())
    if (dragging) return
    seek.value = String(video.currentTime)
    tell(video.currentTime)
  }

  function show(atSeconds: number): void {
    clearTimeout(linger)
    peekedSeconds = atSeconds
    const tile = tileAt(tiles, atSeconds)
    picture.hidden = tile === undefined
    if (tile) {
      const { url, x, y, width, height } = tile
      Object.assign(picture.style, {
        width: `${width}px`,
        height: `${height}px`,
        backgroundImage: `url("${url}")`,
        backgroundPosition: `-${x}px -${y}px`,
      })
    }
    write(moment, clockTime(Math.floor(atSeconds)))
    peek.hidden = false
    const { width } = seek.getBoundingClientRect()
    const middle = thumbPx / 2 + (atSeconds / (length() || 1)) * (width - thumbPx)
    const most = Math.max(0, width - peek.offsetWidth)
    peek.style.left = `${Math.min(most, Math.max(0, middle - peek.offsetWidth / 2))}px`
  }

  function hide(): void {
    clearTimeout(linger)
    peek.hidden = true
  }

  function goTo(atSeconds: number): void {
    const at = Math.min(length(), Math.max(0, atSeconds))
    seek.value = String(at)
    video.currentTime = at
    tell(at)
  }

  const under = ({ clientX }: PointerEvent): number => {
    const { left, width } = seek.getBoundingClientRect()
    const share = (clientX - left - thumbPx / 2) / Math.max(1, width - thumbPx)
    return Math.min(1, Math.max(0, share)) * length()
  }

  // While it is dragged only the picture follows; the film goes there once it is let go.
  seek.oninput = () => {
    dragging = true
    show(Number(seek.value))
    tell(Number(seek.value))
  }
  seek.onchange = () => {
    dragging = false
    goTo(Number(seek.value))
  }
  seek.onpointermove = (event) => show(dragging ? Number(seek.value) : under(event))
  seek.onpointerleave = () => {
    if (!dragging) hide()
  }
  seek.onblur = hide
  seek.onkeydown = (event) => {
    const steps: Record<string, number> = {
      ArrowLeft: -stepSeconds,
      ArrowDown: -stepSeconds,
      ArrowRight: stepSeconds,
      ArrowUp: stepSeconds,
      PageDown: -length() / 10,
      PageUp: length() / 10,
      Home: -length(),
      End: length(),
    }
    const step = steps[event.key]
    if (step === undefined) return
    event.preventDefault()
    goTo(Number(seek.value) + step)
    show(Number(seek.value))
    linger = setTimeout(hide, lingerMs)
  }
  for (const name of ['timeupdate', 'durationchange', 'progress', 'seeked', 'emptied'])
    video.addEventListener(name, follow)

  return {
    /** `storyboardUrl` may have nothing yet, or never: then the bar tells the time alone. */
    open(storyboardUrl: string): void {
      stop = new AbortController()
      bar.hidden = false
      follow()
      loadStoryboard(storyboardUrl, stop.signal).then(
        (loaded) => {
          tiles = loaded
          // Somebody may be looking there already.
          if (!peek.hidden) show(peekedSeconds)
        },
        () => {},
      )
    },
    close(): void {
      stop.abort()
      tiles = []
      dragging = false
      bar.hidden = true
      hide()
    },
  }
}
