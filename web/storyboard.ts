// Small pictures of a film by their moment: read from the WebVTT that the platform serves beside it.
import { backoffMs, pause } from './patience.ts'

export interface Tile {
  fromSeconds: number
  url: string
  x: number
  y: number
  width: number
  height: number
}

const seconds = (time: string): number => time.split(':').reduce((sum, part) => 60 * sum + Number(part), 0)

/** Cues of one line each, with a place in a sprite; anything else in the text is passed over. */
export function readStoryboard(text: string, base: string): Tile[] {
  const cue = /^([\d:.]+) --> [\d:.]+.*\r?\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/gm
  return [...text.matchAll(cue)].map(([, from = '', uri = '', ...place]) => {
    const [x = 0, y = 0, width = 0, height = 0] = place.map(Number)
    return { fromSeconds: seconds(from), url: new URL(uri, base).href, x, y, width, height }
  })
}

/** The last one that begins at this moment or before. */
export function tileAt(tiles: readonly Tile[], atSeconds: number): Tile | undefined {
  let [low, high] = [0, tiles.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tiles[middle]?.fromSeconds ?? 0) <= atSeconds) low = middle + 1
    else high = middle
  }
  return tiles[low - 1]
}

/** About four minutes: a title that is being encoded gets its storyboard at the end, and an old one never. */
const attempts = 12

/** Nothing is wrong with a film that has none: then there are no tiles. */
export async function loadStoryboard(url: string, signal: AbortSignal): Promise<Tile[]> {
  for (let attempt = 2; attempt < attempts; attempt += 1) {
    const reply = await fetch(url, { signal }).catch(() => undefined)
    if (reply?.ok) return readStoryboard(await reply.text(), url)
    if (reply && reply.status !== 404) return []
    await pause(backoffMs(attempt), signal)
  }
  return []
}
