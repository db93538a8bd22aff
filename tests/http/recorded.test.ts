// No change without its entry: what is recorded, in which order, and what happens when it can not be.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Problem } from '../../shared/core/problem.ts'
import type { Route } from '../../shared/http/route.ts'
import type { Deed } from '../../shared/tenants/audit.ts'
import { sampleTenant } from '../support/documents.ts'
import { adminKey, deps, keyId, send } from './support.ts'

const tenant = sampleTenant({ id: 'ten_00000000000000000000' })
const bearer = { authorization: `Bearer ${tenant.id}.owner` }

function stage(more: Partial<Route<null>> = {}) {
  const events: unknown[] = []
  const route: Route<null> = {
    kind: 'http',
    name: 'test-route',
    methods: ['POST'],
    path: 'api/test/{assetId}',
    auth: 'tenant',
    summary: '',
    reply: { 201: z.unknown() },
    run: () => {
      events.push('run')
      return { id: 'made_1', apiKey: 'a-secret' }
    },
    ...more,
  }
  const audit = async (deed: Deed) => {
    events.push(deed)
    return async (outcome: unknown) => void events.push(outcome)
  }
  return { events, route, from: { ...deps(null, tenant), audit } }
}

test('the entry comes first, then the change, then its outcome, without any secret', async () => {
  const body = z.object({ name: z.string(), viewer: z.string() })
  const { events, route, from } = stage({ body })
  const sent = { headers: bearer, params: { assetId: 'ast_1' }, body: { name: 'n', viewer: 'ann' } }
  expect((await send(route, from, sent)).status).toBe(201)
  expect(events).toEqual([
    {
      tenantId: tenant.id,
      who: { kind: 'key', keyId, role: 'owner' },
      action: 'test-route',
      params: { assetId: 'ast_1' },
      body: { name: 'n', viewer: 'ann' },
      requestId: 'request-1',
    },
    'run',
    { status: 201, made: 'made_1' },
  ])
})

test('when the entry can not be kept nothing is changed', async () => {
  const { events, route, from } = stage()
  const failing = { ...from, audit: () => Promise.reject(new Problem('unavailable')) }
  expect(await send(route, failing, { headers: bearer })).toMatchObject({
    status: 503,
    json: { code: 'unavailable' },
  })
  expect(events).toEqual([])
})

test('an outcome that is lost changes no answer, and is logged', async () => {
  const { route, from } = stage()
  const logged: string[] = []
  const failing = {
    ...from,
    log: (_level: string, event: string) => void logged.push(event),
    audit: async () => () => Promise.reject(new Error('away')),
  }
  expect((await send(route, failing, { headers: bearer })).status).toBe(201)
  expect(logged).toEqual(['http.outcome-lost'])
})

test('what fails has its outcome too', async () => {
  const outcomes = async (error: Error) => {
    const { events, route, from } = stage({
      run: () => {
        throw error
      },
    })
    await send(route, from, { headers: bearer })
    return events[1]
  }
  expect(await outcomes(new Problem('not-found'))).toEqual({ status: 404, code: 'not-found' })
  expect(await outcomes(new Error('secret'))).toEqual({ status: 500, code: 'internal' })
})

test('recorded is what changes something and was let in: not reads, not refusals, not what says it is none', async () => {
  const counts = async (more: Partial<Route<null>>, sent: Parameters<typeof send>[2]) => {
    const { events, route, from } = stage(more)
    const { status } = await send(route, from, sent)
    return [status, events.filter((event) => typeof event === 'object').length]
  }
  const admin = { 'x-movidone-admin': adminKey }
  for (const method of ['POST', 'PATCH', 'DELETE'])
    expect(await counts({}, { method, headers: bearer })).toEqual([201, 2])
  expect(await counts({ auth: 'admin' }, { headers: admin })).toEqual([201, 2])
  for (const method of ['GET', 'HEAD', 'OPTIONS'])
    expect(await counts({}, { method, headers: bearer })).toEqual([201, 0])
  expect(await counts({ audited: false }, { headers: bearer })).toEqual([201, 0])
  expect(await counts({ auth: 'none' }, {})).toEqual([201, 0])
  expect(await counts({}, {})).toEqual([401, 0])
  const minter = { authorization: `Bearer ${tenant.id}.minter` }
  expect(await counts({}, { headers: minter })).toEqual([403, 0])
  const body = z.object({ name: z.string() })
  expect(await counts({ body }, { headers: bearer, body: {} })).toEqual([400, 0])
})
