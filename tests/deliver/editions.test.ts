// Players in the middle of a title whose keys or segments changed: what they began with stays where it was, for a while.
import { beforeEach, describe, expect, test } from 'vitest'
import { createStage, type Stage } from './stage.ts'
import { makeTimeline } from './timelines.ts'

const hour = 3_600_000
let stage: Stage
let later: { keyId: string }

/** Generation 1 of the same version: other blobs, other keys; the one before it stays for an hour. */
beforeEach(async () => {
  stage = await createStage()
  const { tenantId, id: assetId } = stage.document
  const of = { tenantId, assetId, version: 1, generation: 1 }
  const keyIds = await stage.protect.sealer.prepare(of, ['v720', 'v360', 'audio'])
  const timeline = makeTimeline({ generation: 1 })
  const renditions = timeline.renditions.map((rendition) => ({
    ...rendition,
    keyId: keyIds[rendition.name] ?? '',
    init: { ...rendition.init, blob: `g1/${rendition.init.blob}` },
    segments: rendition.segments.map((segment) => ({ ...segment, blob: `g1/${segment.blob}` })),
  }))
  stage.timelines.set('timeline-4.json', Buffer.from(JSON.stringify({ ...timeline, renditions })))
  later = { keyId: keyIds['v720'] ?? '' }
})

const rekey = () => {
  const until = new Date(stage.clock.now() + hour).toISOString()
  const former = [{ timeline: 'timeline-3.json', until }]
  stage.state.asset = { ...stage.document, timeline: 'timeline-4.json', former }
  stage.clock.advance(1000)
}
const statuses = (paths: string[]) => Promise.all(paths.map(async (path) => (await stage.ask(path)).status))
const earlier = () => ['v720/1.0/init.mp4', 'v720/1.0/2.m4s', `keys/${stage.keyIds['v720']}`]
const newer = () => ['v720/1.1/init.mp4', 'v720/1.1/2.m4s', `keys/${later.keyId}`]

describe('once the keys of a title were changed', () => {
  test('playlists name the new edition alone, with the new key', async () => {
    const text = async () => Buffer.from((await stage.ask('v720.m3u8')).body ?? []).toString()
    expect(await text()).toContain('v720/1.0/2.m4s')
    rekey()
    expect(await text()).toContain('v720/1.1/2.m4s')
    expect(await text()).toContain(`keys/${later.keyId}`)
    expect(await text()).not.toMatch(new RegExp(`1\\.0/|${stage.keyIds['v720']}`))
  })

  test('a player that began before goes on with the segments and the keys that it knows', async () => {
    expect(await statuses(earlier())).toEqual([200, 200, 200])
    expect(await statuses(newer())).toEqual([404, 404, 404])
    const [old] = [await stage.ask('v720/1.0/2.m4s')]
    const oldKey = await stage.ask(earlier()[2] ?? '')
    rekey()
    expect(await statuses(newer())).toEqual([200, 200, 200])
    expect(await stage.ask('v720/1.0/2.m4s')).toEqual(old)
    expect(await stage.ask(earlier()[2] ?? '')).toEqual(oldKey)
    expect((await stage.ask(newer()[2] ?? '')).body).not.toEqual(oldKey.body)
    expect((await stage.ask('v720/1.1/2.m4s')).headers['etag']).not.toBe(old?.headers['etag'])
  })

  test('until their time is over', async () => {
    rekey()
    stage.clock.advance(hour - 1001)
    expect(await statuses([...earlier(), ...newer()])).toEqual([200, 200, 200, 200, 200, 200])
    stage.clock.advance(1)
    expect(await statuses([...earlier(), ...newer()])).toEqual([404, 404, 404, 200, 200, 200])
  })

  test('who plays the current edition has the former ones never read', async () => {
    rekey()
    stage.loads.length = 0
    await statuses(['master.m3u8', 'v720.m3u8', ...newer(), 'poster.jpg'])
    expect(stage.loads).toEqual(['asset', 'timeline-4.json'])
    await statuses(earlier())
    expect(stage.loads).toEqual(['asset', 'timeline-4.json', 'timeline-3.json'])
  })

  test('an edition that never was, or is spelled otherwise, is 404', async () => {
    rekey()
    for (const edition of [
      '2.0',
      '1.2',
      '01.0',
      '1.00',
      '1',
      '1.',
      '.0',
      '1.0.0',
      '0.0',
      '-1.0',
      '1%2E0',
      '1,0',
    ])
      expect([edition, (await stage.ask(`v720/${edition}/2.m4s`)).status]).toEqual([edition, 404])
  })
})

test('a rendition that the title has no more is there for players that read its master before', async () => {
  const { renditions, ...timeline } = makeTimeline()
  const without = { ...timeline, version: 2, renditions: renditions.filter(({ name }) => name !== 'v360') }
  stage.timelines.set('timeline-4.json', Buffer.from(JSON.stringify(without)))
  const text = async (path: string) => Buffer.from((await stage.ask(path)).body ?? []).toString()
  expect(await text('master.m3u8')).toContain('v360.m3u8')
  rekey()
  expect(await text('master.m3u8')).not.toContain('v360.m3u8')
  expect(await text('v720.m3u8')).toContain('v720/2.0/2.m4s')
  expect(await text('v360.m3u8')).toContain('v360/1.0/2.m4s')
  expect(await statuses(['v360/1.0/2.m4s', 'v144.m3u8'])).toEqual([200, 404])
  stage.clock.advance(hour / 2)
  expect(await statuses(['v360.m3u8'])).toEqual([200])
  stage.clock.advance(hour / 2)
  expect(await statuses(['v360.m3u8', 'v360/1.0/2.m4s'])).toEqual([404, 404])
})

test('the policy of a session holds for former editions too', async () => {
  rekey()
  expect(await statuses(earlier())).toEqual([200, 200, 200])
  stage.state.granted = { maxResolution: 480 }
  expect(await statuses([...earlier(), ...newer()])).toEqual([403, 403, 403, 403, 403, 403])
  expect(await statuses(['v360/1.0/2.m4s', 'v360/1.1/2.m4s', 'audio/1.0/2.m4s'])).toEqual([200, 200, 200])
})
