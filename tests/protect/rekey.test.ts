// A title's content keys are changed: the same bytes under other keys, whatever comes in between, and nothing left of the old.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removed } from '../../shared/assets/machine.ts'
import { segmentIv } from '../../shared/protect/iv.ts'
import { rekeyAsset } from '../../shared/protect/orchestrate.ts'
import { nextGeneration } from '../../shared/protect/rekey.ts'
import { openSegment } from '../../shared/protect/seal.ts'
import { sampleAsset } from '../support/documents.ts'
import { seeded } from '../support/seeded.ts'
import { type Call, createRekeyStage, drive, planHash, type RekeyStage, retentionMs } from './rekey-stage.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const timeout = 240_000
const counts = { v360: 8, v240: 9, audio: 8 }
const switching = 'protect-rekey-switch'

let stage: RekeyStage
beforeAll(async () => {
  stage = await createRekeyStage()
})
afterAll(() => stage?.stop())

type Title = Awaited<ReturnType<RekeyStage['makeTitle']>>
const input = ({ target }: Title, generation = 1) => ({ ...target, generation })
const rekey = (title: Title, call: Call = stage.caller(), generation = 1) =>
  drive(rekeyAsset as never, input(title, generation), stage.clock, call)

async function current(title: Title) {
  const asset = await stage.assetOf(title)
  return { asset, timeline: await stage.timelineOf(asset?.timeline) }
}
const envelopes = async ({ target }: Title) => {
  const ids = ['v1', 'v1.1', 'v1.2', 'v1.3']
  const found = await Promise.all(ids.map((id) => stage.stores.keys.get(target.assetId, id)))
  return ids.filter((_, n) => found[n])
}

describe('a change of keys', () => {
  test('seals the same bytes with other keys, serves both until players are done, then takes the old away', async () => {
    const title = await stage.makeTitle(counts)
    const before = await stage.timelineOf(title.timeline)
    const names = await stage.blobsOf(title)
    const call = stage.caller()
    let midway: Awaited<ReturnType<typeof current>> | undefined
    const { output, executions } = await rekey(title, async (name, given) => {
      if (name === 'protect-rekey-retire') {
        midway = await current(title)
        expect(await envelopes(title)).toEqual(['v1', 'v1.1'])
        // Whoever began before the switch goes on.
        expect(
          await stage.spoilt(await stage.timelineOf(midway.asset?.former?.[0]?.timeline), title),
        ).toEqual([])
      }
      return call(name, given)
    })
    expect(output).toEqual({ ok: true })
    expect(midway?.asset?.former).toEqual([{ timeline: title.timeline, until: expect.any(String) }])
    const until = Date.parse(midway?.asset?.former?.[0]?.until ?? '')
    expect(Math.abs(until - stage.clock.now())).toBeLessThan(60_000)
    expect(executions).toEqual([
      input(title),
      { ...input(title), done: 3, until: midway?.asset?.former?.[0]?.until },
    ])

    const { asset, timeline } = await current(title)
    expect(asset).toMatchObject({
      state: 'ready',
      timeline: expect.stringMatching(/\/v1\/timeline-g1\.json$/),
    })
    expect(asset).not.toHaveProperty('former')
    expect(await stage.spoilt(timeline, title)).toEqual([])
    expect(await envelopes(title)).toEqual(['v1.1'])
    const same = ({ renditions, generation, ...rest }: typeof timeline) => ({
      ...rest,
      renditions: renditions.map(({ keyId, segments, ...each }) => ({
        ...each,
        segments: segments.map(({ sizeBytes, durationSeconds }) => [sizeBytes, durationSeconds]),
      })),
    })
    expect(same(timeline)).toEqual(same(before))
    expect([before.generation, timeline.generation]).toEqual([0, 1])
    for (const [n, { keyId }] of timeline.renditions.entries())
      expect(keyId).not.toBe(before.renditions[n]?.keyId)
    const isSegment = (name: string) => name.endsWith('.m4s')
    const moved = names
      .filter((name) => name !== 'v1/timeline-9.json')
      .map((name) => (isSegment(name) ? name.replace(`${planHash}/`, `${planHash}/g1/`) : name))
    expect(await stage.blobsOf(title)).toEqual([...moved, 'v1/timeline-g1.json'].sort())
  })

  test('the old keys open nothing of what the new ones have sealed', async () => {
    const title = await stage.makeTitle({ v360: 12 })
    const old = (await stage.timelineOf(title.timeline)).renditions[0]
    const oldKey = await stage.contentKeys().contentKey({ ...title.target, generation: 0 }, old?.keyId ?? '')
    const opens = async (blob = '', number = 0) => {
      const iv = segmentIv({ version: 1, planHash, rendition: 'v360', number })
      const sealed = (await stage.media.get(blob)) ?? Buffer.alloc(0)
      try {
        const opened = Buffer.from(openSegment(sealed, oldKey ?? Buffer.alloc(16), iv))
        return title.plain.get(`v360/${number}`)?.equals(opened)
      } catch {
        return false
      }
    }
    const results = (list: ReadonlyArray<{ blob: string }> = []) =>
      Promise.all(list.map(({ blob }, number) => opens(blob, number)))
    expect(await results(old?.segments)).toEqual(Array(12).fill(true))
    await rekey(title)
    const { timeline } = await current(title)
    expect(await results(timeline.renditions[0]?.segments)).toEqual(Array(12).fill(false))
    // And whoever asks for the old key is given none.
    const of = { ...title.target, generation: 0 }
    expect(await stage.contentKeys().contentKey(of, old?.keyId ?? '')).toBeUndefined()
  })

  test('while players of the first change still play, a second one is made of what is current', async () => {
    const title = await stage.makeTitle({ v360: 5, audio: 5 })
    const call = stage.caller()
    let second: Promise<unknown> | undefined
    const seen: string[][] = []
    await rekey(title, async (name, given) => {
      if (name === 'protect-rekey-retire' && !second) {
        const { asset } = await current(title)
        expect(asset && nextGeneration(asset)).toEqual(input(title, 2))
        // Until its own retention is over it has both before it.
        second = rekey(
          title,
          async (inner, innerGiven) => {
            if (inner === 'protect-rekey-retire') {
              seen.push(((await current(title)).asset?.former ?? []).map(({ timeline }) => timeline))
              seen.push(await envelopes(title))
            }
            return call(inner, innerGiven)
          },
          2,
        )
        await second
      }
      return call(name, given)
    })
    await second
    expect(seen[0]).toHaveLength(2)
    expect(seen[1]).toEqual(['v1', 'v1.1', 'v1.2'])
    const { asset, timeline } = await current(title)
    expect(timeline.generation).toBe(2)
    expect(asset).not.toHaveProperty('former')
    expect(await stage.spoilt(timeline, title)).toEqual([])
    expect(await envelopes(title)).toEqual(['v1.2'])
    expect((await stage.blobsOf(title)).filter((name) => /\/g1\/|-g1/.test(name))).toEqual([])
  })

  test('only a title that is ready has its keys changed', () => {
    for (const state of ['uploading', 'encoding', 'failed'] as const)
      expect(() => nextGeneration(sampleAsset({ state, timeline: 'a/b/v1/timeline-3.json' }))).toThrow(
        `this one is ${state}`,
      )
    const ready = sampleAsset({ state: 'ready', timeline: 'a/b/v1/timeline-3.json' })
    expect(nextGeneration(ready).generation).toBe(1)
    expect(nextGeneration({ ...ready, timeline: 'a/b/v1/timeline-g7.json' }).generation).toBe(8)
  })
})

describe('what comes in between', () => {
  /** Its process ends at a random call to a store, before or after that has had its effect. */
  function killable<T extends object>(store: T, random: () => number, rate: number): T {
    const wrap =
      (run: (...args: unknown[]) => Promise<unknown>) =>
      async (...args: unknown[]) => {
        const dies = random() < rate
        if (dies && random() < 0.5) throw new Error('killed before')
        const result = await run(...args)
        if (dies) throw new Error('killed after')
        return result
      }
    return Object.fromEntries(Object.entries(store).map(([name, run]) => [name, wrap(run)])) as T
  }

  test(`kills at any moment, and activities that run twice at once (SEED=${seed})`, { timeout }, async () => {
    let kills = 0
    for (let round = 0; round < 3; round++) {
      const random = seeded(seed + round * 7919)
      const title = await stage.makeTitle({ v360: 12, audio: 13 })
      const call: Call = async (name, given) => {
        for (;;) {
          const { media, keys, assets } = stage.deps
          const rate = name === 'protect-rekey-batch' ? 0.05 : 0.15
          const life = () =>
            stage.caller({
              media: killable(media, random, rate),
              keys: killable(keys, random, rate),
              assets: killable(assets, random, rate),
            })(name, given)
          const twice = await Promise.allSettled(random() < 0.3 ? [life(), life()] : [life()])
          const done = twice.find((one) => one.status === 'fulfilled')
          if (done) return done.value
          kills++
        }
      }
      const where = `SEED=${seed} round ${round}`
      expect((await rekey(title, call)).output, where).toEqual({ ok: true })
      const { asset, timeline } = await current(title)
      expect(await stage.spoilt(timeline, title), where).toEqual([])
      expect(asset, where).not.toHaveProperty('former')
      expect(await envelopes(title), where).toEqual(['v1.1'])
      const segments = (await stage.blobsOf(title)).filter((name) => name.endsWith('.m4s'))
      expect(segments.length, where).toBe(25)
      expect(
        segments.every((name) => name.includes('/g1/')),
        where,
      ).toBe(true)
    }
    expect(kills).toBeGreaterThan(0)
  })

  test(`a title that is deleted at any moment leaves nothing (SEED=${seed})`, { timeout }, async () => {
    for (let round = 0; round < 4; round++) {
      const random = seeded(seed + round * 104_729)
      const title = await stage.makeTitle({ v360: 6, audio: 16 })
      const { tenantId, assetId } = title.target
      const call = stage.caller()
      let at = Math.floor(random() * 6)
      let cleaning: Promise<void> | undefined
      const remove = async () => {
        await sleep(random() * 10)
        await stage.stores.assets.update(tenantId, assetId, (asset) => removed(asset, stage.clock.now()))
        await sleep(random() * 8)
        await stage.clean(title)
      }
      await rekey(title, async (name, given) => {
        if (at-- === 0) cleaning = remove()
        return call(name, given)
      })
      await cleaning
      const where = `SEED=${seed} round ${round}`
      expect(cleaning, where).toBeDefined()
      expect(await stage.blobsOf(title), where).toEqual([])
      expect(await envelopes(title), where).toEqual([])
    }
  })

  test.each(['the keys', 'a segment', 'the timeline'])(
    'a title that is deleted and cleaned before the store writes %s leaves nothing',
    async (what) => {
      const title = await stage.makeTitle({ v360: 3, audio: 3 })
      const { tenantId, assetId } = title.target
      let hits = 0
      const clean = async (isMeant: boolean) => {
        if (!isMeant || hits++ > 0) return
        await stage.stores.assets.update(tenantId, assetId, (asset) => removed(asset, stage.clock.now()))
        await stage.clean(title)
      }
      const { media, keys } = stage.deps
      const call = stage.caller({
        keys: {
          ...keys,
          async create(envelope) {
            await clean(what === 'the keys')
            return keys.create(envelope)
          },
        },
        media: {
          ...media,
          async putOnce(blob, bytes, contentType) {
            await clean(what === (blob.endsWith('.json') ? 'the timeline' : 'a segment'))
            return media.putOnce(blob, bytes, contentType)
          },
        },
      })
      const persistent: Call = (name, given) => call(name, given).catch(() => call(name, given))
      expect((await rekey(title, persistent)).output).toMatchObject({ ok: false, code: 'not-found' })
      expect(hits).toBeGreaterThan(0)
      expect(await stage.blobsOf(title)).toEqual([])
      expect(await envelopes(title)).toEqual([])
    },
  )

  /** As the encode of a next version does once it is whole. */
  async function takeOver({ target, timeline }: Title, former: 'kept' | 'gone'): Promise<void> {
    const until = new Date(stage.clock.now() + 2 * retentionMs).toISOString()
    await stage.stores.assets.update(target.tenantId, target.assetId, (asset) => ({
      ...asset,
      version: 2,
      timeline: timeline.replace('/v1/', '/v2/'),
      former: former === 'gone' ? [] : [...(asset.former ?? []), { timeline: asset.timeline ?? '', until }],
    }))
  }

  test.each(['kept', 'gone'] as const)(
    'another version takes over before the switch, its players %s: what was written is taken back',
    async (former) => {
      const title = await stage.makeTitle({ v360: 14 })
      const names = await stage.blobsOf(title)
      const call = stage.caller()
      const { output } = await rekey(title, async (name, given) => {
        if (name === switching) {
          expect((await stage.blobsOf(title)).filter((blob) => blob.includes('/g1/'))).toHaveLength(14)
          await takeOver(title, former)
        }
        return call(name, given)
      })
      expect(output).toMatchObject({ ok: false, code: 'not-found' })
      expect(await stage.blobsOf(title)).toEqual(former === 'kept' ? names : [])
      expect(await envelopes(title)).toEqual(['v1'])
      if (former === 'kept')
        expect(await stage.spoilt(await stage.timelineOf(title.timeline), title)).toEqual([])
    },
  )

  test('another version takes over after the switch: each former one goes in its own time', async () => {
    const title = await stage.makeTitle({ v360: 7, audio: 7 })
    const call = stage.caller()
    const { output } = await rekey(title, async (name, given) => {
      if (name === 'protect-rekey-retire') {
        await takeOver(title, 'kept')
        // One that was thought lost comes late.
        expect(await call('protect-rekey-batch', { ...input(title), batch: 0 })).toEqual({ ok: true })
      }
      return call(name, given)
    })
    expect(output).toEqual({ ok: true })
    const asset = await stage.assetOf(title)
    expect(asset?.former).toEqual([
      { timeline: expect.stringContaining('/v1/timeline-g1.json'), until: expect.any(String) },
    ])
    expect(await stage.spoilt(await stage.timelineOf(asset?.former?.[0]?.timeline), title)).toEqual([])
    expect(await envelopes(title)).toEqual(['v1.1'])
    const segments = (await stage.blobsOf(title)).filter((name) => name.endsWith('.m4s'))
    expect(segments.filter((name) => !name.includes('/g1/'))).toEqual([])
  })

  test('a segment that is missing or cut ends it; the title plays on under the keys that it had', async () => {
    for (const harm of ['missing', 'cut'] as const) {
      const title = await stage.makeTitle({ v360: 3 })
      const before = await stage.timelineOf(title.timeline)
      const blob = before.renditions[0]?.segments[1]?.blob ?? ''
      const bytes = (await stage.media.get(blob)) ?? Buffer.alloc(0)
      await stage.media.remove([blob])
      if (harm === 'cut') await stage.media.putOnce(blob, bytes.subarray(0, 32), 'video/mp4')
      expect((await rekey(title)).output).toMatchObject({ ok: false, code: 'conflict' })
      expect((await stage.assetOf(title))?.timeline).toBe(title.timeline)
      // Mended, it goes on with the same keys.
      await stage.media.remove([blob])
      await stage.media.putOnce(blob, bytes, 'video/mp4')
      expect((await rekey(title)).output).toEqual({ ok: true })
      const { timeline } = await current(title)
      expect(await stage.spoilt(timeline, title)).toEqual([])
    }
  })

  test('a store that is away for long only delays it', async () => {
    const title = await stage.makeTitle({ v360: 3 })
    const call = stage.caller()
    const away = { begin: 2, retire: 2 }
    const startedMs = stage.clock.now()
    const { output } = await rekey(title, async (name, given) => {
      if (name === 'protect-rekey-begin' && away.begin-- > 0) throw new Error('away')
      if (name === 'protect-rekey-retire' && away.retire-- > 0) throw new Error('away')
      return call(name, given)
    })
    expect(output).toEqual({ ok: true })
    const hours = (stage.clock.now() - startedMs) / 3_600_000
    expect(hours).toBeCloseTo(retentionMs / 3_600_000 + 1, 1)
    expect(await stage.spoilt((await current(title)).timeline, title)).toEqual([])
  })
})
