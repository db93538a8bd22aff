// The timeline that a job's units make, as a pure function: the same units always make the same bytes.
import { mediaFolder, type Rendition } from '../assets/model.ts'
import type { Storyboard, Timeline, TimelineRendition, TimelineSegment } from '../assets/timeline.ts'
import { segmentCount, segmentStart } from './grid.ts'
import {
  audioEdge,
  audioFrameSamples,
  audioRate,
  audioRendition,
  frameSeconds,
  iframeRendition,
  type Plan,
  plannedSeconds,
} from './plan.ts'
import type { EncodeTarget } from './ports.ts'
import type { Progress } from './units.ts'

/** What is known of a rendition once its init segment is there. */
export interface Track {
  readonly codecs: string
  readonly initBytes: number
}

export interface TimelineFacts {
  readonly target: EncodeTarget
  readonly plan: Plan
  readonly progress: Progress
  readonly keyIds: Readonly<Record<string, string>>
  readonly tracks: Readonly<Record<string, Track>>
  /** How many segments to list; undefined for all there are, once no more will follow. */
  readonly playable: number | undefined
  readonly storyboard?: Storyboard | undefined
}

const folderOf = ({ tenantId, assetId, version }: EncodeTarget): string =>
  mediaFolder({ tenantId, id: assetId, version })

export const posterBlob = (target: EncodeTarget): string => `${folderOf(target)}poster.jpg`
export const planBlob = (target: EncodeTarget, hash: string): string => `${folderOf(target)}plan-${hash}.json`
const renditionFolder = (target: EncodeTarget, plan: Plan, rendition: string): string =>
  `${folderOf(target)}${plan.hash}/${rendition}/`
export const initBlob = (target: EncodeTarget, plan: Plan, rendition: string): string =>
  `${renditionFolder(target, plan, rendition)}init.mp4`
export const segmentBlob = (
  target: EncodeTarget,
  plan: Plan,
  at: { rendition: string; number: number },
): string => `${renditionFolder(target, plan, at.rendition)}${at.number}.m4s`
export const spriteBlob = (target: EncodeTarget, plan: Plan, number: number): string =>
  `${folderOf(target)}${plan.hash}/storyboard/${number}.jpg`
/** Growing ones are named by their segments; the last one, which may list no more than the one before, is one longer. */
export const timelineBlob = (target: EncodeTarget, length: number): string =>
  `${folderOf(target)}timeline-${length}.json`

const micro = (seconds: number): number => Math.round(seconds * 1e6) / 1e6
const total = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0)

const videoSeconds = (plan: Plan, number: number): number =>
  (segmentStart(plan.video, number + 1) - segmentStart(plan.video, number)) * frameSeconds(plan)

const audioSeconds = (plan: Plan, number: number): number =>
  ((audioEdge(plan, number + 1) - audioEdge(plan, number)) * audioFrameSamples) / audioRate

function listSegments(facts: TimelineFacts, rendition: string, sizes: readonly number[]): TimelineSegment[] {
  const { target, plan } = facts
  return sizes.slice(0, facts.playable).map((sizeBytes, number) => {
    const seconds = rendition === audioRendition ? audioSeconds(plan, number) : videoSeconds(plan, number)
    return {
      durationSeconds: micro(seconds),
      sizeBytes,
      blob: segmentBlob(target, plan, { rendition, number }),
    }
  })
}

/** The peak that is still to come is not known while a title grows: then it is the most that rate control lets through. */
function bandwidths(facts: TimelineFacts, name: string, segments: readonly TimelineSegment[]) {
  const bits = total(segments.map(({ sizeBytes }) => sizeBytes * 8))
  // What an I-frame takes is within what its whole segment may take.
  const rung = facts.plan.renditions.find((one) => one.name === pictureOf(facts.plan, name))
  let peak = facts.playable === undefined ? 0 : (rung?.maxrateKbps ?? 0) * 1000
  for (const { sizeBytes, durationSeconds } of segments)
    peak = Math.max(peak, (sizeBytes * 8) / durationSeconds)
  const average = bits / (total(segments.map(({ durationSeconds }) => durationSeconds)) || 1)
  return { averageBandwidth: Math.ceil(average), bandwidth: Math.ceil(peak) }
}

/** The rendition whose init segment, codec and size it has: its own, but for I-frames. */
const pictureOf = (plan: Plan, name: string): string =>
  name === iframeRendition && plan.iframes ? plan.iframes : name

function common(facts: TimelineFacts, name: string, sizes: readonly number[]) {
  const { target, plan, keyIds, tracks } = facts
  const segments = listSegments(facts, name, sizes)
  const picture = pictureOf(plan, name)
  const track = tracks[picture]
  const keyId = keyIds[name]
  if (!track || !keyId) throw new Error(`rendition ${name} has no init segment or no key`)
  return {
    name,
    codecs: track.codecs,
    ...bandwidths(facts, name, segments),
    keyId,
    init: { blob: initBlob(target, plan, picture), sizeBytes: track.initBytes },
    segments,
  }
}

export function makeTimeline(facts: TimelineFacts): Timeline {
  const { target, plan, progress } = facts
  const frameRate = plan.video.timescale / plan.video.frameTicks
  const videos: TimelineRendition[] = plan.renditions.map(({ name, width, height }) => ({
    ...common(facts, name, progress.video[name] ?? []),
    kind: 'video',
    width,
    height,
    frameRate,
  }))
  const audios: TimelineRendition[] =
    plan.audio && progress.audio.length > 0
      ? [{ ...common(facts, audioRendition, progress.audio), kind: 'audio', channels: plan.audio.channels }]
      : []
  const small = plan.renditions.find(({ name }) => name === plan.iframes)
  const iframes: TimelineRendition[] = small
    ? [
        {
          ...common(facts, iframeRendition, progress.iframes),
          kind: 'iframes',
          width: small.width,
          height: small.height,
        },
      ]
    : []
  const renditions = [...videos, ...audios, ...iframes]
  const ended = facts.playable === undefined
  const lasts = renditions.map(({ segments }) =>
    total(segments.map(({ durationSeconds }) => durationSeconds)),
  )
  return {
    schema: 1,
    generation: 0,
    assetId: target.assetId,
    version: target.version,
    planHash: plan.hash,
    scheme: 'aes-128',
    targetDurationSeconds: targetSeconds(plan),
    durationSeconds: micro(ended ? Math.max(...lasts) : plannedSeconds(plan)),
    ended,
    renditions,
    poster: posterBlob(target),
    ...(facts.storyboard ? { storyboard: facts.storyboard } : {}),
  }
}

/** The longest segment there will be, rounded: it never changes while a title grows (RFC 8216 6.2.1). */
function targetSeconds(plan: Plan): number {
  const last = segmentCount(plan.video) - 1
  const longest = [0, Math.min(1, last), last].flatMap((number) => [
    videoSeconds(plan, number),
    // Edges of sound lie within half a frame of the picture's.
    ...(plan.audio ? [audioSeconds(plan, number) + audioFrameSamples / audioRate] : []),
  ])
  return Math.max(1, ...longest.map(Math.round))
}

/** As the title's own document tells them. */
export const shownRenditions = (timeline: Timeline): Rendition[] =>
  timeline.renditions.flatMap(({ name, kind, codecs, width, height, frameRate, averageBandwidth }) =>
    kind === 'iframes'
      ? []
      : [
          {
            name,
            kind,
            codecs,
            ...(width && height ? { width, height } : {}),
            ...(frameRate ? { frameRate } : {}),
            averageBandwidth,
          },
        ],
  )
