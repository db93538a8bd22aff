// What deliver counts: every answer that a session was given, by its bytes; and nothing of who was refused.
import { expect, test } from 'vitest'
import { createStage } from './stage.ts'

test('answers count for their session, with the bytes that go out', async () => {
  const stage = await createStage()
  const { sessionId } = stage
  const segment = await stage.ask('v720/1.0/0.m4s')
  const some = await stage.ask('v720/1.0/0.m4s', { range: 'bytes=0-9' })
  expect([segment.status, some.status]).toEqual([200, 206])
  await stage.ask('v720/1.0/0.m4s', {}, { method: 'HEAD' })
  await stage.ask('nothing.m3u8')
  const [first, second, third, fourth] = stage.served
  expect(stage.served).toHaveLength(4)
  expect([first, second, third]).toEqual([
    { sessionId, bytes: segment.body?.length },
    { sessionId, bytes: 10 },
    { sessionId, bytes: 0 },
  ])
  expect(fourth?.bytes).toBeLessThan(500)
})

test('who is refused, or asks beforehand, plays nothing', async () => {
  const stage = await createStage()
  expect((await stage.ask('master.m3u8', {}, { token: 'x' })).status).toBe(403)
  expect((await stage.ask('master.m3u8', {}, { method: 'OPTIONS' })).status).toBe(204)
  expect(stage.served).toEqual([])
})
