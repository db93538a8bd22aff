// A unit that was offered calls for workers at once, and for nobody when it is only looked at again.
import { expect, test } from 'vitest'
import type { Activity } from '../../functions/definition.ts'
import { encodeActivities } from '../../functions/encode.ts'
import type { App } from '../../shared/app.ts'
import type { Start } from '../../shared/http/route.ts'

const offer = encodeActivities.definitions.find(({ name }) => name === 'encode-offer') as Activity
const errands = [{ kind: 'wake', target: { pool: 'encoder', node: 'encoder-z1-1', epoch: 3 } }]

async function play(looked: object, { isAway = false } = {}) {
  const called: string[] = []
  const started: Start[] = []
  const logged: string[] = []
  const app = {
    encode: { offer: async () => looked },
    fleet: {
      call: async (pool: string) => {
        called.push(pool)
        return errands
      },
    },
    log: (_level: string, event: string) => logged.push(event),
  } as unknown as App
  const startOnce = async (start: Start) => {
    if (isAway) throw new Error('away')
    started.push(start)
  }
  const outcome = await offer.run(app, {}, { startOnce, raise: async () => {} })
  return { outcome, called, started, logged }
}

const fresh = { ok: true, over: false, waitSeconds: 30, fresh: true }
const { fresh: _, ...again } = fresh

test('what is offered afresh calls for workers, and the errands of those that are woken begin', async () => {
  expect(offer.durable).toBe(true)
  const { outcome, called, started } = await play(fresh)
  expect(outcome).toEqual(fresh)
  expect(called).toEqual(['encoder'])
  expect(started).toEqual([
    { name: 'fleet-wake', instanceId: 'wake-encoder-z1-1-3', input: errands[0]?.target },
  ])
})

test.each([
  ['looked at again', again],
  ['over', { ...again, over: true }],
  ['failed', { ok: false, code: 'encode-failed', detail: '' }],
])('one that is %s calls for nobody', async (_name, looked) => {
  expect(await play(looked)).toEqual({ outcome: looked, called: [], started: [], logged: [] })
})

test('an errand that can not begin now is left to the next watch: the unit is offered all the same', async () => {
  const { outcome, logged } = await play(fresh, { isAway: true })
  expect(outcome).toEqual(fresh)
  expect(logged).toEqual(['fleet.errand-lost'])
})
