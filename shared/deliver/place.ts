// Which timeline and rendition a path belongs to: of the current timeline, or of one that players are still in the middle of.
import { editionOf, type Timeline, type TimelineRendition } from '../assets/timeline.ts'
import type { PlayPath } from './path.ts'
import type { PlayableTitle } from './titles.ts'

export interface Place {
  readonly timeline: Timeline
  readonly rendition: TimelineRendition
}

/**
 * Playlists are of the current timeline; what they named before it came is found in the one that it followed, and so is a
 * rendition that only that one has: a player that read the master before may still turn to it.
 */
export async function placeOf(
  { timeline, former }: PlayableTitle,
  path: Extract<PlayPath, { kind: 'playlist' | 'init' | 'segment' | 'key' }>,
): Promise<Place | undefined> {
  const within = (candidate: Timeline): Place | undefined => {
    if ('edition' in path && path.edition !== editionOf(candidate)) return undefined
    const rendition = candidate.renditions.find(({ name, keyId }) =>
      path.kind === 'key' ? keyId === path.keyId : name === path.rendition,
    )
    return rendition && { timeline: candidate, rendition }
  }
  const now = within(timeline)
  if (now) return now
  for (const candidate of await former()) {
    const before = within(candidate)
    if (before) return before
  }
  return undefined
}

/** The one of that edition, current or former. */
export async function timelineOf(
  { timeline, former }: PlayableTitle,
  edition: string,
): Promise<Timeline | undefined> {
  if (editionOf(timeline) === edition) return timeline
  return (await former()).find((candidate) => editionOf(candidate) === edition)
}
