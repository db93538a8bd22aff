// Protect: a tenant opens a session for a viewer and gets the URLs that its token rides in; it ends sessions too.
import { Problem } from '../shared/core/problem.ts'
import { Playback, PlaybackRequest } from '../shared/protect/schema.ts'
import { http, type StageDefinitions } from './definition.ts'

const playback = http({
  name: 'protect-playback',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/playback',
  auth: 'tenant',
  summary: 'Open a session for a viewer',
  body: PlaybackRequest,
  reply: { 201: Playback },
  run: async ({ app, tenant, params, body, random, origin }) => {
    const asset = await app.assets.get(tenant.id, params['assetId'] ?? '')
    if (asset.state === 'failed') throw new Problem('asset-failed')
    if (!asset.timeline) throw new Problem('not-playable-yet', { retryAfterSeconds: 2 })
    const session = await app.protect.openSession({ tenantId: tenant.id, asset, ...body }, random)
    const base = `${origin}/api/v1/play/${session.token}`
    return { ...session, hlsUrl: `${base}/master.m3u8`, posterUrl: `${base}/poster.jpg` }
  },
})

const sessionRevoke = http({
  name: 'protect-session-revoke',
  methods: ['DELETE'],
  path: 'api/v1/sessions/{sessionId}',
  auth: 'tenant',
  summary: 'End a session at once',
  reply: { 204: null },
  run: ({ app, tenant, params }) => app.protect.revokeSession(tenant.id, params['sessionId'] ?? ''),
})

export const protect: StageDefinitions = { servedBy: 'api', definitions: [playback, sessionRevoke] }
