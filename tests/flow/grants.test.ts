// Grants on the whole platform: the example of the docs plays a film, keys rotate without a break, and what is nearly a grant is refused.
import { execFileSync } from 'node:child_process'
import { createDecipheriv, createPublicKey } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeSigner, type Signer, signGrant } from '../protect/signers.ts'
import { drawFilm } from '../support/film.ts'
import { mediaPlaylist, mediaPlaylists } from '../support/hls.ts'
import { fetch } from '../support/patience.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { asTenant, type Tenant } from '../support/tenant.ts'

let platform: Platform
let tenant: Tenant
let folder: string
let assetId: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-grants-'))
  const film = join(folder, 'film.mp4')
  await drawFilm({ path: film, seconds: 4, frameRate: 25, size: '320x180' })
  // What is refused here comes from one network.
  platform = await startPlatform({ env: { REFUSALS_PER_SECOND: '1000' } })
  tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
  assetId = await tenant.upload(film)
  await tenant.until(assetId, ({ state }) => state === 'ready' || state === 'failed')
})
afterAll(async () => {
  await platform?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Key {
  readonly id: string
  readonly algorithm: string
  readonly publicKey: string
}
const signingKeys = '/api/v1/signing-keys'
const register = (publicKey: unknown, name = 'backend') =>
  tenant.expectStatus<Key>(201, tenant.call('POST', signingKeys, { name, publicKey }))
const retire = (id: string) => tenant.call('DELETE', `${signingKeys}/${id}`)

let visits = 0
function mint(signer: Signer, keyId: string, more: Record<string, unknown> = {}): string {
  const iat = Math.floor(Date.now() / 1000)
  const jti = `visit-${visits++}`
  const claims = { iss: platform.tenant.id, aud: 'movidone', jti, iat, exp: iat + 600, asset: assetId }
  return signGrant({ alg: signer.algorithm, kid: keyId }, { ...claims, ...more }, signer)
}
const urlOf = (grant: string) => `${platform.apiUrl}/api/v1/play/${grant}/master.m3u8`
const ask = (grant: string, init: RequestInit = {}) => fetch(urlOf(grant), { redirect: 'manual', ...init })
const statusOf = async (grant: string) => (await ask(grant)).status
/** The URL with the session's token, as every player finds it. */
const opened = async (grant: string): Promise<string> => {
  const reply = await ask(grant)
  expect(reply.status).toBe(302)
  return reply.headers.get('location') ?? ''
}
const plays = async (url: string) => (await fetch(url)).status

/** Master, media playlist, segment and key, and the segment in clear. */
async function playFirstSegment(url: string): Promise<Buffer> {
  const list = await mediaPlaylist((await mediaPlaylists(url))[0] ?? '')
  const bytes = async (of = '') => Buffer.from(await (await fetch(of)).arrayBuffer())
  const [sealed, key] = await Promise.all([bytes(list.segments[0]), bytes(list.keyUrl)])
  const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(list.ivs[0] ?? '', 'hex'))
  return Buffer.concat([decipher.update(sealed), decipher.final()])
}
const isMovieFragment = (clear: Buffer) => /^(styp|moof|sidx)$/.test(clear.toString('latin1', 4, 8))

describe('a tenant’s own backend', () => {
  test('mints with the example of the docs, as it stands there, and its URL plays', async () => {
    const example = 'docs/examples/mint-grant.mjs'
    const lines = (await readFile(example, 'utf8')).split('\n').filter((line) => /^[^/\s]/.test(line))
    expect(lines.length).toBeLessThanOrEqual(20)
    const file = join(folder, 'signing-key.pem')
    const signer = makeSigner('EdDSA')
    // What `openssl genpkey` writes.
    await writeFile(file, signer.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const key = await register(signer.publicKey)
    expect(key).toMatchObject({ algorithm: 'EdDSA' })
    const env = {
      MOVIDONE_URL: platform.apiUrl,
      TENANT_ID: platform.tenant.id,
      SIGNING_KEY_ID: key.id,
      SIGNING_KEY_FILE: file,
    }
    const url = execFileSync(process.execPath, [example, assetId, 'anna'], { env, encoding: 'utf8' }).trim()
    const { url: followed } = await fetch(url)
    expect(followed).toMatch(/\/api\/v1\/play\/[^/]{90,160}\/master\.m3u8$/)
    expect(isMovieFragment(await playFirstSegment(followed))).toBe(true)
  })

  test.each(['EdDSA', 'ES256', 'RS256'] as const)('signs with %s, its key registered as JWK', async (alg) => {
    const signer = makeSigner(alg)
    const { id, algorithm } = await register(createPublicKey(signer.publicKey).export({ format: 'jwk' }))
    expect(algorithm).toBe(alg)
    const grant = mint(signer, id, { sub: 'ben' })
    expect(await plays(await opened(grant))).toBe(200)
    const other = await statusOf(mint(makeSigner(alg), id, { sub: 'ben' }))
    expect(other).toBe(403)
    expect((await retire(id)).status).toBe(204)
  })

  test('never has its private key kept: it is refused, and nothing of it is in any file', async () => {
    const signer = makeSigner('EdDSA')
    const pem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const reply = await tenant.call('POST', signingKeys, { name: 'oops', publicKey: pem })
    expect(reply).toMatchObject({ status: 422, json: { code: 'signing-key-refused' } })
    const secret = pem.split('\n')[1] ?? ''
    expect(JSON.stringify(reply.json)).not.toContain(secret)
    const files = await readdir(platform.folder, { recursive: true, withFileTypes: true })
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0))),
    )
    expect(texts.some((bytes) => bytes.includes(assetId))).toBe(true)
    expect(texts.some((bytes) => bytes.includes(secret))).toBe(false)
  })
})

describe('rotation', () => {
  test('of keys breaks nothing: what is open goes on, the retired key opens no more, the revoked one ends what it opened', async () => {
    const [old, next] = [makeSigner('ES256'), makeSigner('EdDSA')]
    const first = await register(old.publicKey, 'old')
    const [early, late] = [
      mint(old, first.id, { sub: 'early' }),
      mint(old, first.id, { sub: 'late', jti: 'l' }),
    ]
    const open = await opened(early)
    expect(await plays(open)).toBe(200)
    const second = await register(next.publicKey, 'next')
    const beside = await opened(mint(next, second.id, { sub: 'beside' }))
    expect([await plays(open), await plays(beside), await statusOf(late)]).toEqual([200, 200, 302])

    expect((await retire(first.id)).status).toBe(204)
    expect((await retire(first.id)).status).toBe(204)
    // At once, not when some cache has forgotten.
    expect(await statusOf(mint(old, first.id, { sub: 'new' }))).toBe(403)
    expect(await statusOf(early)).toBe(403)
    const listed = await tenant.call('GET', signingKeys)
    const states = listed.json.items.map(({ id, retiredAt }: Key & { retiredAt?: string }) => [
      id,
      retiredAt !== undefined,
    ])
    expect(states).toEqual(
      expect.arrayContaining([
        [first.id, true],
        [second.id, false],
      ]),
    )
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect([await plays(open), await plays(beside)], 'three seconds later').toEqual([200, 200])
    expect(await statusOf(mint(next, second.id))).toBe(302)

    const revoked = await tenant.call('POST', '/api/v1/revocations', { signingKeyId: first.id })
    expect(revoked.status).toBe(204)
    await expect.poll(() => plays(open)).toBe(403)
    expect([await plays(beside), await statusOf(mint(next, second.id))]).toEqual([200, 302])
    const again = await tenant.call('POST', signingKeys, { name: 'again', publicKey: old.publicKey })
    expect(again).toMatchObject({ status: 422, json: { code: 'signing-key-refused' } })
  })
})

describe('the platform', () => {
  test('mints grants itself, and a repeated request opens the same session', async () => {
    const request = (body: object) =>
      tenant.call('POST', `/api/v1/assets/${assetId}/grants`, body, { 'idempotency-key': 'order-number-1' })
    const askedMs = Date.now()
    const minted = await request({ viewer: 'carl', ttlSeconds: 60, expiresInSeconds: 120 })
    expect(minted.status).toBe(201)
    // Whole seconds.
    const expiresMs = Date.parse(minted.json.expiresAt)
    expect(expiresMs).toBeGreaterThan(askedMs + 119_000)
    expect(expiresMs).toBeLessThan(Date.now() + 121_000)
    expect(minted.json.hlsUrl).toBe(urlOf(minted.json.grant))
    const sessionOf = async (grant: string) => /play\/([^.]+)/.exec(await opened(grant))?.[1]
    const session = await sessionOf(minted.json.grant)
    const repeated = await request({ viewer: 'carl', ttlSeconds: 60, expiresInSeconds: 120 })
    expect(await sessionOf(repeated.json.grant)).toBe(session)
    const other = await request({ viewer: 'carl', ttlSeconds: 61, expiresInSeconds: 120 })
    expect(await sessionOf(other.json.grant)).not.toBe(session)
    expect(await tenant.call('DELETE', `/api/v1/sessions/${session}`)).toMatchObject({ status: 204 })
    expect(await statusOf(minted.json.grant), 'nor does its grant open it again').toBe(403)
  })

  test('tells the tenant why a grant is refused, and a player nothing', async () => {
    const signer = makeSigner('RS256')
    const { id } = await register(signer.publicKey)
    const check = async (grant: string) =>
      (await tenant.call('POST', '/api/v1/grants/check', { grant })).json as Record<string, unknown>
    expect(await check(mint(signer, id))).toMatchObject({ accepted: true })
    const past = Math.floor(Date.now() / 1000) - 60
    const refused = {
      'wrong-audience': mint(signer, id, { aud: 'somewhere' }),
      expired: mint(signer, id, { iat: past, exp: past + 1 }),
      'unknown-title': mint(signer, id, { asset: 'ast_00000000000000000000' }),
      'wrong-signature': mint(makeSigner('RS256'), id),
      'unknown-key': mint(signer, 'sig_00000000000000000000'),
      'wrong-claims': mint(signer, id, { admin: true }),
    }
    const bodies = new Set<string>()
    for (const [reason, grant] of Object.entries(refused)) {
      expect(await check(grant)).toMatchObject({ accepted: false, reason })
      const reply = await ask(grant)
      expect([reason, reply.status]).toEqual([reason, 403])
      const { instance: _, ...body } = (await reply.json()) as Record<string, unknown>
      bodies.add(JSON.stringify([body, [...reply.headers.keys()].toSorted()]))
    }
    expect(bodies.size).toBe(1)
  })

  test('refuses a grant that was spelled another way on its way here', async () => {
    const signer = makeSigner('ES256')
    const { id } = await register(signer.publicKey)
    const grant = mint(signer, id)
    expect(await statusOf(grant)).toBe(302)
    const [header = '', claims = '', signature = ''] = grant.split('.')
    const wide = String.fromCharCode((grant.codePointAt(0) ?? 0) + 0xfee0)
    const spelled = [
      `${grant}=`,
      `${grant}%3D`,
      `${header}.${claims}.${signature}%00`,
      `${header}.${claims}.${signature}%0A`,
      `%2565${grant.slice(1)}`,
      `${encodeURIComponent(wide)}${grant.slice(1)}`,
      `${header}%2F${claims}.${signature}`,
      `${header}.${claims}.${signature}.${signature}`,
      `${grant};x=1`,
      `${grant}%20`,
      grant.toUpperCase(),
    ]
    for (const other of spelled) {
      const status = await statusOf(other)
      // The server itself takes no %00 (400).
      expect([other.slice(-20), [400, 403].includes(status)]).toEqual([other.slice(-20), true])
    }
    // RFC 3986 2.3: an unreserved character and its percent-encoding are one URL; the host decodes it before anybody asks.
    expect(await statusOf(grant.replace(/^e/, '%65'))).toBe(302)
  })

  test('opens nothing but a manifest with a grant', async () => {
    const { json } = await tenant.call('POST', `/api/v1/assets/${assetId}/grants`, {})
    expect(await statusOf(json.grant)).toBe(302)
    for (const path of ['poster.jpg', `keys/${'0'.repeat(32)}`, 'v180.m3u8', 'v180/1.0/0.m4s', ''])
      expect((await fetch(urlOf(json.grant).replace('master.m3u8', path))).status).toBe(403)
    const preflight = await ask(json.grant, { method: 'OPTIONS' })
    expect(preflight.status).toBe(204)
  })
})
