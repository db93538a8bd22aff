// Which streams a viewer may have at once: pure rules over the viewer's slots; a stream counts while its lease runs.
import type { AssetId } from '../core/ids.ts'
import type { Slots, Stream } from './ports.ts'

/** What wants a place: one client of one session. */
export interface PlaceAsk {
  readonly sessionId: string
  readonly assetId: AssetId
  readonly client: string
  readonly ttlSeconds: number
  /** Manifests alone leave the stream open to whichever client of the session plays it: a telephone reads, a television plays. */
  readonly purpose: 'manifest' | 'media'
  readonly maxClients?: number | undefined
  readonly maxStreams?: number | undefined
}

/** By the store's clock. */
export interface LeaseTime {
  readonly nowMs: number
  readonly leaseMs: number
}

type Streams = readonly Stream[]
type OfClient = Pick<Stream, 'sessionId' | 'client'>

/** Of one viewer, whatever its policy: it is one person, and its slots are one document. */
const mostStreams = 128
const spareSeconds = 3600
/** No session lives longer, so none that a revocation ended outlives the slots that say so. */
const revokedTtlSeconds = 8 * 24 * 3600

export const isLive = (stream: Stream, { nowMs, leaseMs }: LeaseTime): boolean =>
  nowMs < stream.seenAtMs + leaseMs

/** Whether its session is not idle yet. */
const wasSeen = (stream: Pick<Stream, 'seenAtMs' | 'ttlSeconds'>, nowMs: number): boolean =>
  nowMs < stream.seenAtMs + stream.ttlSeconds * 1000

export const isOf = (stream: Stream, { sessionId, client }: OfClient): boolean =>
  stream.sessionId === sessionId && stream.client === client

/** How old a lease may get before its store is told that it goes on. */
export const renewAfterMs = (leaseMs: number, ttlSeconds: number): number =>
  Math.min(leaseMs / 2, (ttlSeconds * 1000) / 4)

const hasRoom = (live: Streams, { sessionId, maxClients = 1, maxStreams = mostStreams }: PlaceAsk): boolean =>
  live.length < Math.min(maxStreams, mostStreams) &&
  live.filter((stream) => stream.sessionId === sessionId).length < maxClients

/** The same array when nothing need be written; undefined when there is no place. */
export function acquire(streams: Streams, ask: PlaceAsk, time: LeaseTime): Streams | undefined {
  const { nowMs, leaseMs } = time
  const bound = ask.purpose === 'media'
  const live = streams.filter((stream) => isLive(stream, time))
  const own = live.find((stream) => isOf(stream, ask))
  if (own) {
    const young = nowMs - own.seenAtMs < renewAfterMs(leaseMs, ask.ttlSeconds)
    if (young && (own.bound || !bound)) return streams
    const seenAtMs = Math.max(own.seenAtMs, nowMs)
    return streams.map((stream) =>
      stream === own ? { ...own, bound: own.bound || bound, seenAtMs } : stream,
    )
  }
  // What this client left behind when it was silent for longer than a lease.
  const others = streams.filter((stream) => !isOf(stream, ask))
  const open = live.find((stream) => stream.sessionId === ask.sessionId && !stream.bound)
  if (open)
    return others.map((stream) =>
      stream === open ? { ...open, client: ask.client, bound, seenAtMs: nowMs } : stream,
    )
  if (!hasRoom(live, ask)) return undefined
  const { sessionId, assetId, client, ttlSeconds } = ask
  const added = { sessionId, assetId, client, bound, openedAtMs: nowMs, seenAtMs: nowMs, ttlSeconds }
  return [...others, added]
}

/**
 * A stream that this node has served until `seenAtMs`. One whose lease ended meanwhile comes back only where there is
 * still a place: somebody else may have it. That it was seen is kept in any case.
 */
export function renew(streams: Streams, ask: PlaceAsk & { seenAtMs: number }, time: LeaseTime): Streams {
  const known = streams.find((stream) => isOf(stream, ask))
  if (!known || ask.seenAtMs <= known.seenAtMs) return streams
  const renewed = { ...known, seenAtMs: ask.seenAtMs }
  const withRenewed = streams.map((stream) => (stream === known ? renewed : stream))
  if (isLive(known, time) || !isLive(renewed, time)) return withRenewed
  const live = streams.filter((stream) => isLive(stream, time))
  if (hasRoom(live, ask)) return withRenewed
  const silent = { ...known, seenAtMs: time.nowMs - time.leaseMs }
  return streams.map((stream) => (stream === known ? silent : stream))
}

/** The document to write: what is neither live nor of a session that may come back is dropped, the newest are kept. */
export function slotsOf(
  current: Slots | undefined,
  owner: Pick<Slots, 'viewerKey' | 'tenantId'>,
  change: { readonly streams: Streams; readonly time: LeaseTime; readonly revokedAt?: string | undefined },
): Slots {
  const { time } = change
  const revokedAt = change.revokedAt ?? current?.revokedAt
  const streams = change.streams
    .filter((stream) => isLive(stream, time) || wasSeen(stream, time.nowMs))
    .toSorted((a, b) => b.seenAtMs - a.seenAtMs)
    .slice(0, mostStreams)
  const ttlSeconds = Math.max(
    revokedAt === undefined ? 0 : revokedTtlSeconds,
    ...streams.map((stream) => stream.ttlSeconds),
  )
  return {
    id: 'slots',
    viewerKey: owner.viewerKey,
    type: 'slots',
    schema: 1,
    tenantId: owner.tenantId,
    streams,
    seenAtMs: streams[0]?.seenAtMs ?? 0,
    ...(revokedAt === undefined ? {} : { revokedAt }),
    ttl: ttlSeconds + spareSeconds,
  }
}

/** Whether the viewer's sessions that were opened then are over. */
export const endedBy = (slots: Slots | undefined, openedAtMs: number): boolean =>
  slots?.revokedAt !== undefined && openedAtMs <= Date.parse(slots.revokedAt)
