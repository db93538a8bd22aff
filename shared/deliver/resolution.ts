// Which renditions a session may see: those whose shorter side is within its limit, and the audio with them.
import type { Timeline, TimelineRendition } from '../assets/timeline.ts'

/** A picture whose size nobody knows is not within any limit. */
const isWithin = ({ kind, width, height }: TimelineRendition, maxResolution: number | undefined): boolean =>
  maxResolution === undefined ||
  kind === 'audio' ||
  (width !== undefined && height !== undefined && Math.min(width, height) <= maxResolution)

/** Undefined when nothing of a film is left but its sound. */
export function visible(
  { renditions }: Timeline,
  maxResolution: number | undefined,
): readonly TimelineRendition[] | undefined {
  const left = renditions.filter((rendition) => isWithin(rendition, maxResolution))
  const isFilm = renditions.some(({ kind }) => kind === 'video')
  return isFilm && !left.some(({ kind }) => kind === 'video') ? undefined : left
}
