// What a tenant does beside uploading: keys, names, sessions, removals; an errand that a kill cuts off is repeated.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { patiently } from './patience.ts'
import type { Life, Title } from './persistent-tenant.ts'
import type { Promises } from './promises.ts'
import { asTenant, type Playback } from './tenant.ts'

/** Repeatable: run again with the same order it has the same effect and the same answer. */
type Errand = (life: Life, order: string) => Promise<void>

interface NewKey {
  readonly id: string
  readonly apiKey: string
}

const repeatable = (order: string) => ({ 'idempotency-key': order })

const statusOf = async (ask: () => Promise<{ status: number }>): Promise<number> =>
  (await patiently(ask)).status

const pauseMs = 60
const mostKeys = 6

export function createErrands(promises: Promises, titles: readonly Title[]) {
  const keys: string[] = []
  const sessions: string[] = []
  const pick = <T>(life: Life, list: readonly T[]): T | undefined =>
    list[Math.floor(life.random() * list.length)]
  const keyWorks = (name: string, apiKey: string, status: number) =>
    promises.make(name, async ({ apiUrl }) => {
      const asked = asTenant(apiUrl, apiKey)
      expect(await statusOf(() => asked.call('GET', '/api/v1/tenant'))).toBe(status)
    })
  const plays = (name: string, path: string, status: number) =>
    promises.make(name, async ({ apiUrl }) => {
      expect(await statusOf(() => fetch(`${apiUrl}${path}`))).toBe(status)
    })

  const addKey: Errand = async ({ tenant }, order) => {
    const added = tenant.call('POST', '/api/v1/keys', { name: order.slice(0, 8) }, repeatable(order))
    const { id, apiKey } = await tenant.expectStatus<NewKey>(201, added)
    keys.push(apiKey)
    keyWorks(`key ${id}`, apiKey, 200)
  }

  const retireKey = (apiKey: string): Errand => {
    const id = apiKey.split('.')[1] ?? ''
    return async ({ tenant }) => {
      promises.release(`key ${id}`)
      await tenant.expectStatus(204, tenant.call('DELETE', `/api/v1/keys/${id}`))
      keys.splice(keys.indexOf(apiKey), 1)
      keyWorks(`key ${id}`, apiKey, 401)
    }
  }

  const makeTenant: Errand = async ({ tenant, adminKey }, order) => {
    const headers = { 'x-movidone-admin': adminKey, ...repeatable(order) }
    const made = tenant.call('POST', '/api/v1/tenants', { name: order }, headers)
    const { id, apiKey } = await tenant.expectStatus<NewKey>(201, made)
    keyWorks(`tenant ${id}`, apiKey, 200)
  }

  const rename =
    (title: Title): Errand =>
    async ({ tenant }, order) => {
      title.names.push(order)
      await tenant.expectStatus(200, tenant.call('PATCH', `/api/v1/assets/${title.id}`, { title: order }))
      title.names = [order]
    }

  const openSession =
    (title: Title): Errand =>
    async ({ tenant }, order) => {
      const url = `/api/v1/assets/${title.id}/playback`
      const opened = tenant.call('POST', url, { viewer: order.slice(0, 4) }, repeatable(order))
      const { sessionId, hlsUrl } = await tenant.expectStatus<Playback>(201, opened)
      const path = new URL(hlsUrl).pathname
      sessions.push(path)
      plays(`session ${sessionId}`, path, 200)
    }

  const revoke =
    (path: string): Errand =>
    async ({ tenant }) => {
      const id = path.split('/')[4]?.split('.')[0] ?? ''
      promises.release(`session ${id}`)
      await tenant.expectStatus(204, tenant.call('DELETE', `/api/v1/sessions/${id}`))
      sessions.splice(sessions.indexOf(path), 1)
      // Each instance remembers a session for a moment, so it is only asked for by the next one.
      plays(`session ${id}`, path, 403)
    }

  const announceAndRemove: Errand = async ({ tenant }, order) => {
    const body = { fileName: 'film.mp4', sizeBytes: 1 }
    const announced = await tenant.call('POST', '/api/v1/uploads', body, repeatable(order))
    // Cut off behind the removal, the same order finds its title gone.
    if (announced.status === 404) return
    expect(announced.status).toBe(201)
    const path = `/api/v1/assets/${announced.json.assetId}`
    expect([204, 404]).toContain((await tenant.call('DELETE', path)).status)
    promises.make(`removal of ${announced.json.assetId}`, async (later) => {
      expect(await statusOf(() => later.tenant.call('GET', path))).toBe(404)
    })
  }

  function choose(life: Life): Errand {
    const named = pick(
      life,
      titles.filter(({ id }) => id !== ''),
    )
    const playable = pick(
      life,
      titles.filter(({ segments }) => segments > 0),
    )
    const key = keys.length >= mostKeys ? pick(life, keys) : undefined
    const session = sessions.length > 3 ? pick(life, sessions) : undefined
    const possible = [
      ...[key ? retireKey(key) : addKey, makeTenant, announceAndRemove],
      ...(named ? [rename(named)] : []),
      ...(playable ? [openSession(playable)] : []),
      ...(session ? [revoke(session)] : []),
    ]
    return pick(life, possible) ?? addKey
  }

  let owed: { errand: Errand; order: string } | undefined
  return {
    async runOne(life: Life): Promise<void> {
      owed ??= { errand: choose(life), order: randomUUID() }
      await owed.errand(life, owed.order)
      owed = undefined
      await sleep(pauseMs)
    },
  }
}
