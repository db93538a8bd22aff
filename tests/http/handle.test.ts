// Who may call a route, what a bad request is told, and what a failure shows of itself: nothing.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { base32 } from '../../shared/core/ids.ts'
import { Problem } from '../../shared/core/problem.ts'
import { asIs, type Call, type Route } from '../../shared/http/route.ts'
import { createThrottle } from '../../shared/http/throttle.ts'
import { Role } from '../../shared/tenants/model.ts'
import { sampleTenant } from '../support/documents.ts'
import { adminKey, deps, keyId, nodeCredential, nodeId, send } from './support.ts'

const tenant = sampleTenant({ id: 'ten_00000000000000000000' })
const as = (role: string) => ({ authorization: `Bearer ${tenant.id}.${role}` })
const bearer = as('owner')

const route = (more: Partial<Route<null>>): Route<null> => ({
  kind: 'http',
  name: 'test-route',
  methods: ['POST'],
  path: 'api/test/{id}',
  auth: 'tenant',
  summary: '',
  reply: { 201: z.unknown() },
  run: () => ({ ok: true }),
  ...more,
})

test('a tenant route opens to its key, and to no other', async () => {
  expect((await send(route({}), deps(null, tenant), { headers: bearer })).status).toBe(201)
  for (const headers of [
    {},
    { authorization: 'Bearer ten_x.wrong' },
    { authorization: `Basic ${tenant.id}.owner` },
  ]) {
    const reply = await send(route({}), deps(null, tenant), { headers })
    expect(reply).toMatchObject({ status: 401, json: { code: 'unauthenticated', instance: 'request-1' } })
    expect(reply.headers['content-type']).toBe('application/problem+json')
    expect(reply.headers['www-authenticate']).toBe('Bearer')
  }
})

test('a key opens what names its role, and an owner’s everything: a route that names none is for owners', async () => {
  const statuses = async (roles?: Role[]) => {
    const asked = Role.options.map((role) =>
      send(route(roles ? { roles } : {}), deps(null, tenant), { headers: as(role) }),
    )
    return Object.fromEntries((await Promise.all(asked)).map(({ status }, n) => [Role.options[n], status]))
  }
  expect(await statuses()).toEqual({ owner: 201, uploader: 403, minter: 403, statistics: 403 })
  expect(await statuses([])).toEqual({ owner: 201, uploader: 403, minter: 403, statistics: 403 })
  expect(await statuses(['minter'])).toEqual({ owner: 201, uploader: 403, minter: 201, statistics: 403 })
  const refused = await send(route({ roles: ['minter'] }), deps(null, tenant), { headers: as('uploader') })
  expect(refused.json).toMatchObject({
    code: 'forbidden',
    detail: expect.stringContaining('owner or minter'),
  })
})

test('a route knows which key asks', async () => {
  const callers: unknown[] = []
  const telling = {
    roles: ['minter' as const],
    run: ({ caller }: Call<null, unknown, unknown>) => callers.push(caller),
  }
  await send(route(telling), deps(null, tenant), { headers: as('minter') })
  await send(route({ ...telling, auth: 'admin' }), deps(null), { headers: { 'x-movidone-admin': adminKey } })
  await send(route({ ...telling, auth: 'none' }), deps(null), {})
  expect(callers).toEqual([{ kind: 'key', keyId, role: 'minter' }, { kind: 'admin' }, { kind: 'nobody' }])
})

test('the keys of a suspended tenant open nothing, and say why', async () => {
  expect((await send(route({}), deps(null, tenant), { headers: bearer })).status).toBe(201)
  const suspended = deps(null, { ...tenant, suspendedAt: '2026-11-22T10:00:00.000Z' })
  const refused = await send(route({}), suspended, { headers: bearer })
  expect(refused).toMatchObject({ status: 403, json: { code: 'forbidden' } })
  expect(refused.json['detail']).toContain('suspended')
})

test('an admin route opens to the admin key, and not to a tenant', async () => {
  const admin = route({ auth: 'admin' })
  expect((await send(admin, deps(null, tenant), { headers: { 'x-movidone-admin': adminKey } })).status).toBe(
    201,
  )
  expect((await send(admin, deps(null, tenant), { headers: bearer })).status).toBe(401)
  expect((await send(admin, deps(null, tenant), { headers: { 'x-movidone-admin': '' } })).status).toBe(401)
})

test('a route of nodes opens to the credential of a node, and to nobody else', async () => {
  const callers: unknown[] = []
  const ofNodes = route({ auth: 'node', run: ({ caller }) => callers.push(caller) })
  const from = deps(null, tenant)
  const asNode = { authorization: `Bearer ${nodeCredential}` }
  expect((await send(ofNodes, from, { headers: asNode })).status).toBe(201)
  expect(callers).toEqual([{ kind: 'node', nodeId }])
  for (const headers of [
    bearer,
    { 'x-movidone-admin': adminKey },
    {},
    { authorization: `Bearer ${nodeId}.` },
  ])
    expect((await send(ofNodes, from, { headers: { ...headers } })).status).toBe(401)
  // Nor the other way round.
  expect((await send(route({}), from, { headers: asNode })).status).toBe(401)
  expect((await send(route({ auth: 'admin' }), from, { headers: asNode })).status).toBe(401)
})

test('a bad body names each field', async () => {
  const body = z.object({ name: z.string(), size: z.number() }).strict()
  const sent = { headers: bearer, body: { name: 'a', size: 1 } }
  const from = deps(null, tenant)
  expect((await send(route({ body }), from, sent)).status).toBe(201)
  const bad = await send(route({ body }), from, { headers: bearer, body: { name: 1 } })
  expect(bad).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
  expect(bad.json['errors']).toEqual([
    { pointer: '/name', message: expect.any(String) },
    { pointer: '/size', message: expect.any(String) },
  ])
  expect(await send(route({ body }), from, { headers: bearer, body: '{' })).toMatchObject({ status: 400 })
})

test('a body that is not UTF-8 is refused: read with marks for its letters, two names would be one', async () => {
  const body = z.object({ viewer: z.string() }).strict()
  const called = (viewer: Uint8Array) => {
    const bytes = Buffer.concat([Buffer.from('{"viewer":"'), viewer, Buffer.from('"}')])
    return send(route({ body }), deps(null, tenant), { headers: bearer, body: bytes })
  }
  expect((await called(Buffer.from('Jörg'))).status).toBe(201)
  const detail = 'The body is not JSON in UTF-8.'
  for (const bytes of [Buffer.from('Jörg', 'latin1'), Buffer.from([0xed, 0xa0, 0x80])])
    expect(await called(bytes)).toMatchObject({ status: 400, json: { code: 'invalid-request', detail } })
})

test('an unexpected error shows nothing of itself', async () => {
  const failing = route({
    run: () => {
      throw new Error('password=hunter2 at /srv/app')
    },
  })
  const reply = await send(failing, deps(null, tenant), { headers: bearer })
  expect(reply).toMatchObject({ status: 500, json: { code: 'internal', instance: 'request-1' } })
  expect(reply.body).not.toMatch(/hunter2|srv/)
})

test('a problem keeps its status, and says when to come back', async () => {
  const busy = route({
    run: () => {
      throw new Problem('too-many-requests', { retryAfterSeconds: 7 })
    },
  })
  const reply = await send(busy, deps(null, tenant), { headers: bearer })
  expect(reply).toMatchObject({ status: 429, headers: { 'retry-after': '7' } })
})

test('a route may add headers to its problems, and to nothing else', async () => {
  const open = { problemHeaders: { 'access-control-allow-origin': '*' } }
  const refusing = route({
    ...open,
    run: () => {
      throw new Problem('playback-refused')
    },
  })
  const refused = await send(refusing, deps(null, tenant), { headers: bearer })
  expect(refused).toMatchObject({ status: 403, headers: { 'access-control-allow-origin': '*' } })
  const fine = await send(route(open), deps(null, tenant), { headers: bearer })
  expect(fine.headers).not.toHaveProperty('access-control-allow-origin')
})

test('the same Idempotency-Key draws the same chance; another key, tenant or route another one', async () => {
  const drawn: string[] = []
  const drawing = (name: string) =>
    route({
      name,
      run: ({ random }) => {
        drawn.push(base32(random.bytes(20)))
        return {}
      },
    })
  const headers = (key: string) => ({ ...bearer, 'idempotency-key': key })
  const from = deps(null, tenant)
  await send(drawing('one'), from, { headers: headers('first-key') })
  await send(drawing('one'), from, { headers: headers('first-key') })
  await send(drawing('one'), from, { headers: headers('other-key') })
  await send(drawing('two'), from, { headers: headers('first-key') })
  await send(drawing('one'), from, { headers: bearer })
  expect(drawn[0]).toBe(drawn[1])
  expect(new Set(drawn).size).toBe(4)
  expect((await send(drawing('one'), from, { headers: headers('short') })).status).toBe(400)
})

test('an Idempotency-Key is a matter of POST alone', async () => {
  const from = { ...deps(null, tenant), idempotencySecret: () => Promise.reject(new Error('asked for')) }
  const sent = { headers: { ...bearer, 'idempotency-key': 'first-key' } }
  expect((await send(route({}), from, { ...sent, method: 'POST' })).status).toBe(500)
  expect((await send(route({}), from, { ...sent, method: 'GET' })).status).toBe(201)
  const bad = { headers: { ...bearer, 'idempotency-key': 'x' } }
  expect((await send(route({}), from, { ...bad, method: 'DELETE' })).status).toBe(201)
})

test('an answer that is sent as it stands is not touched', async () => {
  const plain = asIs({ status: 206, headers: { etag: '"e"' }, body: new Uint8Array([1, 2]) })
  const reply = await send(route({ run: () => plain }), deps(null, tenant), { headers: bearer })
  expect(reply).toMatchObject({ status: 206, headers: { etag: '"e"' }, body: new Uint8Array([1, 2]) })
})

test('the limit of requests is passed before it refuses, and time heals it', () => {
  let now = 0
  const throttle = createThrottle(5, { now: () => now, wait: async () => {} })
  const answers = Array.from({ length: 6 }, () => throttle('a'))
  expect(answers).toEqual([0, 0, 0, 0, 0, 1])
  expect(throttle('b')).toBe(0)
  now = 1000
  expect(throttle('a')).toBe(0)
  now = -3_600_000
  expect(throttle('a'), 'a clock that is set back takes nothing away').toBe(0)
})
