// What a page of a tenant's own loads: makes a player of every `<div class="movidone" data-src="…">`, now and later.
// A classic script of no globals; styles are set property by property, which no `style-src` forbids (CSP 3, 8.3).
import type Hls from 'hls.js'
import { type Failure, openStream, type Stream } from './stream.ts'

/** File of hls.js beside this script; its name has a hash, which the build knows. */
declare const HLS_FILE: string

/**
 * Where this script came from, and from nowhere else comes more code: an element named `currentScript` that somebody
 * got into the page, or a `<base>`, ends the player and does not choose what it loads.
 */
const script = document.currentScript
const home = script instanceof HTMLScriptElement ? script.src : undefined

let library: Promise<typeof Hls> | undefined
function load(): Promise<typeof Hls> {
  library ??= import(new URL(HLS_FILE, home).href).then((module: { default: typeof Hls }) => module.default)
  library.catch(() => {
    library = undefined
  })
  return library
}

const sentences: Record<Failure, string> = {
  refused:
    'This film may not be played here, or not any more. It may be playing somewhere else: reload the page to try again.',
  'too-many': 'Too many attempts from this network. Wait a minute, then reload the page.',
  unreachable: 'The film can not be reached from this page. Check the connection, then reload the page.',
  undecodable: 'This browser can not play the film.',
}

interface Mounted {
  src: string
  stop(): void
}

function mount(host: HTMLElement, src: string): Mounted {
  const video = document.createElement('video')
  video.controls = true
  video.playsInline = true
  video.setAttribute('aria-label', host.dataset['title'] ?? 'Film')
  if (host.dataset['poster']) video.poster = host.dataset['poster']
  Object.assign(video.style, { display: 'block', width: '100%', aspectRatio: '16 / 9', background: '#000' })
  const message = document.createElement('p')
  message.setAttribute('role', 'alert')
  Object.assign(message.style, { margin: '0', padding: '12px 16px', color: '#fff', background: '#17181c' })
  message.hidden = true
  host.replaceChildren(video, message)

  const failed = (why: Failure) => {
    message.textContent = sentences[why]
    message.hidden = false
    // A page that would rather say it in its own words listens for this.
    host.dispatchEvent(new CustomEvent('movidone-failed', { bubbles: true, detail: why }))
  }
  let stream: Stream | undefined
  let stopped = false
  const url = new URL(src, document.baseURI).href
  // A grant finds its session again, with a fresh token.
  openStream({ video, url, load, renew: async () => url, failed }).then(
    (opened) => {
      stream = opened
      if (stopped) opened.stop()
    },
    () => failed('unreachable'),
  )
  return {
    src,
    stop() {
      stopped = true
      stream?.stop()
    },
  }
}

const mounted = new Map<HTMLElement, Mounted>()
const hosts = document.getElementsByClassName('movidone')

function look(): void {
  for (const host of hosts) {
    if (!(host instanceof HTMLElement)) continue
    const before = mounted.get(host)
    const { src } = host.dataset
    if (!src || before?.src === src) continue
    before?.stop()
    mounted.set(host, mount(host, src))
  }
  for (const [host, player] of mounted) {
    if (host.isConnected) continue
    player.stop()
    mounted.delete(host)
  }
}

/** Two films on a page may bring the script twice. */
const once = Symbol.for('movidone.embed')
if (home && !Reflect.has(window, once)) {
  Reflect.set(window, once, true)
  look()
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ['data-src', 'class'],
  })
}
