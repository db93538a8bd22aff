// The storyboard as players get it: every moment of the film has its tile, and only who may see the film sees them.
import { beforeEach, describe, expect, test } from 'vitest'
import { renderStoryboard } from '../../shared/deliver/storyboard.ts'
import { bytesOf, createStage, type Stage } from './stage.ts'
import { makeTimeline } from './timelines.ts'

const render = (options: Parameters<typeof makeTimeline>[0]): string => {
  const timeline = makeTimeline(options)
  return renderStoryboard(timeline, timeline.storyboard!)
}

const milliseconds = (text: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number)
  return Math.round((hours * 3600 + minutes * 60 + seconds) * 1000)
}

/** By the grammar of WebVTT (W3C, 4.1): a header, and blocks of one timing and one line each. */
function cuesOf(text: string) {
  const [header, ...blocks] = text.trimEnd().split('\n\n')
  expect(header).toBe('WEBVTT')
  return blocks.map((block) => {
    const found =
      /^(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(block)
    if (!found) throw new Error(`no cue: ${block}`)
    const [, from = '', to = '', uri = '', ...place] = found
    return { fromMs: milliseconds(from), toMs: milliseconds(to), uri, place: place.map(Number) }
  })
}

describe('the cues', () => {
  test('of a short title are the golden ones', async () => {
    await expect(render({ sprites: 1, segments: 12 })).toMatchFileSnapshot('golden/storyboard.vtt')
  })

  test.each([
    { segments: 1, sprites: 1, step: 1 },
    { segments: 100, sprites: 1, step: 1 },
    { segments: 101, sprites: 2, step: 1 },
    { segments: 1950, sprites: 20, step: 1 },
    { segments: 5400, sprites: 20, step: 3 },
  ])('of $segments segments follow one another to the end, each with a place of its own', (options) => {
    const cues = cuesOf(render(options))
    expect(cues).toHaveLength(Math.ceil(options.segments / options.step))
    expect(cues[0]?.fromMs).toBe(0)
    for (const [n, { toMs, fromMs }] of cues.entries()) {
      expect(toMs).toBeGreaterThan(fromMs)
      expect(cues[n + 1]?.fromMs ?? toMs).toBe(toMs)
    }
    const { renditions } = makeTimeline(options)
    const seconds = renditions[0]?.segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0)
    expect(cues.at(-1)?.toMs).toBe(Math.round((seconds ?? 0) * 1000))
    expect(new Set(cues.map(({ uri, place }) => `${uri}${place}`)).size).toBe(cues.length)
    for (const { uri, place } of cues) {
      expect(uri).toMatch(/^storyboard\/1\.0\/\d+\.jpg$/)
      const [x = 0, y = 0, width, height] = place
      expect([width, height, x % 160, y % 90]).toEqual([160, 90, 0, 0])
      expect([x < 1600, y < 900]).toEqual([true, true])
    }
  })
})

describe('over the door', () => {
  let stage: Stage
  const sprite = 'storyboard/1.0/1.jpg'

  beforeEach(async () => {
    stage = await createStage()
    const timeline = makeTimeline({ segments: 130, sprites: 2 })
    stage.timelines.set('timeline-3.json', Buffer.from(JSON.stringify(timeline)))
  })
  const statuses = (...paths: string[]) =>
    Promise.all(paths.map(async (path) => (await stage.ask(path)).status))

  test('the text is one that caches ask for again, the sprites are bytes that never change', async () => {
    const text = await stage.ask('storyboard.vtt')
    expect(text.status).toBe(200)
    expect(text.headers).toMatchObject({
      'content-type': 'text/vtt; charset=utf-8',
      'cache-control': 'no-cache',
    })
    expect(cuesOf(Buffer.from(text.body ?? []).toString())).toHaveLength(130)
    const again = await stage.ask('storyboard.vtt', { 'if-none-match': text.headers['etag'] ?? '' })
    expect(again.status).toBe(304)

    const whole = await stage.ask(sprite)
    const blob = makeTimeline({ sprites: 2 }).storyboard?.sprites[1]?.blob ?? ''
    expect(Buffer.from(whole.body ?? []).equals(bytesOf(blob, 0, 30_001))).toBe(true)
    expect(whole.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'cache-control': 'private, max-age=86400, immutable',
    })
    expect((await stage.ask(sprite, { range: 'bytes=0-9' })).status).toBe(206)
  })

  test('they need no place in the count, but the session', async () => {
    expect(await statuses('storyboard.vtt', sprite)).toEqual([200, 200])
    expect(stage.asks.map(({ purpose }) => purpose)).toEqual(['image', 'image'])
    const strange = { token: `${stage.token.slice(0, -2)}AA` }
    for (const path of ['storyboard.vtt', sprite])
      expect((await stage.ask(path, {}, strange)).status).toBe(403)
    await stage.protect.revokeSession(stage.document.tenantId, stage.sessionId)
    stage.clock.advance(5000)
    expect(await statuses('storyboard.vtt', sprite)).toEqual([403, 403])
  })

  test('who may see none of the renditions sees none of the tiles', async () => {
    stage.state.granted = { maxResolution: 360 }
    expect(await statuses('storyboard.vtt', sprite)).toEqual([200, 200])
    stage.state.granted = { maxResolution: 240 }
    expect(await statuses('storyboard.vtt', sprite)).toEqual([403, 403])
  })

  test('what is not there, or is spelled otherwise, is 404', async () => {
    expect(await statuses(sprite)).toEqual([200])
    const odd = ['1.0/2.jpg', '1.1/0.jpg', '1.0/01.jpg', '1.0/1.png', '1.0/-1.jpg', '1/1.jpg', '1.0/1.jpg/']
    for (const path of odd) expect([path, ...(await statuses(`storyboard/${path}`))]).toEqual([path, 404])
    const bare = await createStage()
    expect((await bare.ask('storyboard.vtt')).status).toBe(404)
  })

  test('sprites of a former edition stay for whoever began with it', async () => {
    const later = makeTimeline({ segments: 130, sprites: 2, generation: 1 })
    stage.timelines.set('timeline-4.json', Buffer.from(JSON.stringify(later)))
    const until = new Date(stage.clock.now() + 60_000).toISOString()
    const former = [{ timeline: 'timeline-3.json', until }]
    stage.state.asset = { ...stage.document, timeline: 'timeline-4.json', former }
    expect(await statuses(sprite, 'storyboard/1.1/1.jpg')).toEqual([200, 200])
    stage.state.asset = { ...stage.document, timeline: 'timeline-4.json' }
    stage.clock.advance(61_000)
    expect(await statuses(sprite, 'storyboard/1.1/1.jpg')).toEqual([404, 200])
  })
})
