// Grants: a tenant's signing keys, grants that the platform mints for it, and why one of its own is refused.
import { isoTime } from '../shared/core/clock.ts'
import { sha256 } from '../shared/core/hash.ts'
import { base32 } from '../shared/core/ids.ts'
import { Problem } from '../shared/core/problem.ts'
import { Grant, GrantCheck, GrantCheckRequest, GrantRequest } from '../shared/protect/schema.ts'
import { SigningKeyList, SigningKeyRequest, SigningKeyView } from '../shared/tenants/schema.ts'
import { http, type StageDefinitions } from './definition.ts'

const keysList = http({
  name: 'protect-signing-keys-list',
  methods: ['GET'],
  path: 'api/v1/signing-keys',
  auth: 'tenant',
  roles: ['minter'],
  summary: 'Public keys that grants are signed with',
  reply: { 200: SigningKeyList },
  run: ({ tenant }) => ({ items: tenant.signingKeys }),
})

const keysAdd = http({
  name: 'protect-signing-keys-add',
  methods: ['POST'],
  path: 'api/v1/signing-keys',
  auth: 'tenant',
  summary: 'Register the public half of a key that your backend signs grants with',
  body: SigningKeyRequest,
  reply: { 201: SigningKeyView },
  run: ({ app, tenant, body, random }) => app.tenants.addSigningKey(tenant, body, random),
})

const keysRetire = http({
  name: 'protect-signing-keys-retire',
  methods: ['DELETE'],
  path: 'api/v1/signing-keys/{signingKeyId}',
  auth: 'tenant',
  summary: 'Retire a signing key: its grants open nothing more, sessions that they opened go on',
  reply: { 204: null },
  run: ({ app, tenant, params }) =>
    app.tenants.endSigningKey(tenant, params['signingKeyId'] ?? '', 'retired'),
})

const grantsMint = http({
  name: 'protect-grants-mint',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/grants',
  auth: 'tenant',
  roles: ['minter'],
  audited: false,
  summary: 'A grant that the platform signs: a link which opens one session when it is followed',
  body: GrantRequest,
  reply: { 201: Grant },
  run: async ({ app, tenant, params, body, random, requestHash, origin }) => {
    const asset = await app.assets.get(tenant.id, params['assetId'] ?? '')
    if (asset.state === 'failed') throw new Problem('asset-failed')
    // The same Idempotency-Key opens the same session, but never for another request.
    const jti = base32(sha256(`${base32(random.bytes(20))}\0${requestHash}`)).slice(0, 20)
    const { grant, expiresAtMs } = await app.grants.mint({
      tenantId: tenant.id,
      assetId: asset.id,
      jti,
      ...body,
    })
    const hlsUrl = `${origin}/api/v1/play/${grant}/master.m3u8`
    return { grant, hlsUrl, expiresAt: isoTime(expiresAtMs) }
  },
})

const grantsCheck = http({
  name: 'protect-grants-check',
  methods: ['POST'],
  path: 'api/v1/grants/check',
  auth: 'tenant',
  roles: ['minter'],
  audited: false,
  summary: 'Why a grant of yours would be refused; opens nothing',
  body: GrantCheckRequest,
  reply: { 200: GrantCheck },
  run: ({ app, tenant, body }) => app.grants.checkGrant(tenant, body.grant),
})

export const protectGrants: StageDefinitions = {
  servedBy: 'api',
  definitions: [keysList, keysAdd, keysRetire, grantsMint, grantsCheck],
}
