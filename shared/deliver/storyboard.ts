// How a storyboard reads as WebVTT: for each tile, from when to when it stands for the film, and where it is in which sprite.
import { editionOf, type Storyboard, type Timeline } from '../assets/timeline.ts'

export const storyboardType = 'text/vtt; charset=utf-8'

/** `hh:mm:ss.ttt`, hours always there (WebVTT 4.1, timestamp). */
function timestamp(seconds: number): string {
  const ms = Math.round(seconds * 1000)
  const two = (value: number) => String(Math.floor(value) % 60).padStart(2, '0')
  const hours = String(Math.floor(ms / 3_600_000)).padStart(2, '0')
  return `${hours}:${two(ms / 60_000)}:${two(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
}

/** Relative URIs, so that they inherit the token's path; the place in the picture as a media fragment (W3C, 4.2.2). */
export function renderStoryboard(timeline: Timeline, board: Storyboard): string {
  const { tileWidth, tileHeight, columns, rows, step } = board
  const segments = timeline.renditions.find(({ kind }) => kind === 'video')?.segments ?? []
  const starts = [0]
  for (const { durationSeconds } of segments) starts.push((starts.at(-1) ?? 0) + durationSeconds)
  const cues = Array.from({ length: Math.ceil(segments.length / step) }, (_, tile) => {
    const at = (segment: number) => timestamp(starts[Math.min(segment, segments.length)] ?? 0)
    const sprite = Math.floor(tile / (columns * rows))
    const place = tile % (columns * rows)
    const x = (place % columns) * tileWidth
    const y = Math.floor(place / columns) * tileHeight
    const uri = `storyboard/${editionOf(timeline)}/${sprite}.jpg`
    return `${at(tile * step)} --> ${at((tile + 1) * step)}\n${uri}#xywh=${x},${y},${tileWidth},${tileHeight}\n`
  })
  return ['WEBVTT\n', ...cues].join('\n')
}
