// Protect: a tenant opens a session for a viewer and gets the URLs that its token rides in; it sees who plays, and ends it.
import { Problem } from '../shared/core/problem.ts'
import {
  LiveSessions,
  Playback,
  PlaybackRequest,
  RevocationRequest,
  SessionQuery,
} from '../shared/protect/schema.ts'
import { http, type StageDefinitions } from './definition.ts'

const playback = http({
  name: 'protect-playback',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/playback',
  auth: 'tenant',
  roles: ['minter'],
  audited: false,
  summary: 'Open a session for a viewer',
  body: PlaybackRequest,
  reply: { 201: Playback },
  run: async ({ app, tenant, params, body, random, origin }) => {
    const asset = await app.assets.get(tenant.id, params['assetId'] ?? '')
    if (asset.state === 'failed') throw new Problem('asset-failed')
    if (!asset.timeline) throw new Problem('not-playable-yet', { retryAfterSeconds: 2 })
    const session = await app.protect.openSession({ tenantId: tenant.id, asset, ...body }, random)
    const base = `${origin}/api/v1/play/${session.token}`
    const at = (path: string) => `${base}/${path}`
    return {
      ...session,
      hlsUrl: at('master.m3u8'),
      posterUrl: at('poster.jpg'),
      storyboardUrl: at('storyboard.vtt'),
    }
  },
})

const sessionsList = http({
  name: 'protect-sessions',
  methods: ['GET'],
  path: 'api/v1/sessions',
  auth: 'tenant',
  roles: ['minter'],
  summary: 'Who plays right now: at most `limit` of them, those seen last first',
  query: SessionQuery,
  reply: { 200: LiveSessions },
  run: async ({ app, tenant, query }) => ({ items: await app.protect.liveSessions(tenant.id, query) }),
})

const sessionRevoke = http({
  name: 'protect-session-revoke',
  methods: ['DELETE'],
  path: 'api/v1/sessions/{sessionId}',
  auth: 'tenant',
  roles: ['minter'],
  summary: 'End a session at once',
  reply: { 204: null },
  run: ({ app, tenant, params }) => app.protect.revokeSession(tenant.id, params['sessionId'] ?? ''),
})

const revoke = http({
  name: 'protect-revoke',
  methods: ['POST'],
  path: 'api/v1/revocations',
  auth: 'tenant',
  roles: ['minter'],
  summary: 'End a session, or all sessions of a viewer, a title or a signing key (this one for owners alone)',
  body: RevocationRequest,
  reply: { 204: null },
  run: async ({ app, tenant, caller, body }) => {
    const { sessionId, viewer, assetId, signingKeyId } = body
    if (sessionId !== undefined) await app.protect.revokeSession(tenant.id, sessionId)
    if (viewer !== undefined) await app.protect.revokeViewer(tenant.id, viewer)
    if (assetId !== undefined) await app.assets.endSessions(tenant.id, assetId, app.protect.now())
    if (signingKeyId === undefined) return
    if (caller.kind !== 'key' || caller.role !== 'owner')
      throw new Problem('forbidden', { detail: 'Only an owner revokes a signing key.' })
    await app.tenants.endSigningKey(tenant, signingKeyId, 'revoked')
  },
})

export const protect: StageDefinitions = {
  servedBy: 'api',
  definitions: [playback, sessionsList, sessionRevoke, revoke],
}
