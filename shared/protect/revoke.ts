// What a tenant ends, one session or all of a viewer's, and which sessions play right now.
import { isoTime } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { PlatformSecret } from './platform-secret.ts'
import type { SessionStore, Slots } from './ports.ts'
import type { Revocations } from './revocations.ts'
import { viewerKeyOfName } from './session-id.ts'
import { viewerKeyOf } from './session-token.ts'
import { isLive, slotsOf } from './streams.ts'

export interface RevokeDeps {
  readonly sessions: Pick<SessionStore, 'now' | 'update' | 'slots' | 'changeSlots' | 'findLive'>
  readonly revocations: Pick<Revocations, 'add'>
  readonly platformSecret: PlatformSecret
  readonly leaseMs: number
}

export interface LiveSession {
  readonly sessionId: string
  readonly assetId: string
  readonly viewer: string
  readonly client: string
  readonly openedAt: string
  readonly seenAt: string
}

/** Enough to tell one from another in a list. */
const shortLength = 8

export function createRevoke({ sessions, revocations, platformSecret, leaseMs }: RevokeDeps) {
  const time = () => ({ nowMs: sessions.now(), leaseMs })

  return {
    /** Repeatable; another tenant's session is as absent as one that never was. Its place is free at once. */
    async revokeSession(tenantId: TenantId, sessionId: string): Promise<void> {
      const viewerKey = viewerKeyOf(sessionId)
      if (!viewerKey) throw new Problem('not-found')
      const revokedAt = isoTime(sessions.now())
      await sessions.update(viewerKey, sessionId, (current) => {
        if (current.tenantId !== tenantId) throw new Problem('not-found')
        return current.revokedAt ? 'unchanged' : { ...current, revokedAt }
      })
      await revocations.add('session', sessionId)
      await sessions.changeSlots(viewerKey, (current) => {
        const streams = current?.streams.filter((stream) => stream.sessionId !== sessionId) ?? []
        if (!current || streams.length === current.streams.length) return 'unchanged'
        return slotsOf(current, current, { streams, time: time() })
      })
    },

    /** Every session that was opened before, of a viewer that this tenant calls so. */
    async revokeViewer(tenantId: TenantId, viewer: string): Promise<void> {
      const viewerKey = await viewerKeyOfName(platformSecret, { tenantId, viewer })
      await sessions.changeSlots(viewerKey, (current) => {
        const now = time()
        const revokedAt = isoTime(now.nowMs)
        return slotsOf(current, { viewerKey, tenantId }, { streams: [], time: now, revokedAt })
      })
      await revocations.add('viewer', viewerKey)
    },

    /** The newest first; a viewer that is named is found whatever the limit. */
    async liveSessions(
      tenantId: TenantId,
      { viewer, limit }: { viewer?: string | undefined; limit: number },
    ): Promise<LiveSession[]> {
      const now = time()
      const slots =
        viewer === undefined
          ? await sessions.findLive({ tenantId, seenSinceMs: now.nowMs - leaseMs, limit })
          : [await sessions.slots(await viewerKeyOfName(platformSecret, { tenantId, viewer }))]
      return slots
        .flatMap((found) => found?.streams.map((stream) => ({ found, stream })) ?? [])
        .filter(({ found, stream }) => found.tenantId === tenantId && isLive(stream, now))
        .toSorted((a, b) => b.stream.seenAtMs - a.stream.seenAtMs)
        .slice(0, limit)
        .map(view)
    },
  }
}

const view = ({ found, stream }: { found: Slots; stream: Slots['streams'][number] }): LiveSession => ({
  sessionId: stream.sessionId,
  assetId: stream.assetId,
  viewer: found.viewerKey.slice(0, shortLength),
  client: stream.client.slice(0, shortLength),
  openedAt: isoTime(stream.openedAtMs),
  seenAt: isoTime(stream.seenAtMs),
})
