// Which small picture stands for a moment, as the console reads it from WebVTT.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { renderStoryboard } from '../shared/deliver/storyboard.ts'
import { readStoryboard, tileAt } from '../web/storyboard.ts'
import { makeTimeline } from './deliver/timelines.ts'

const base = 'https://media.example.net/api/v1/play/token/storyboard.vtt'
const read = (segments: number) => {
  const timeline = makeTimeline({ segments, sprites: Math.min(20, Math.ceil(segments / 100)) })
  return readStoryboard(renderStoryboard(timeline, timeline.storyboard!), base)
}

test('every cue that is served is read, with its URL below the token', () => {
  const tiles = read(250)
  expect(tiles).toHaveLength(250)
  expect(tiles[0]).toEqual({
    fromSeconds: 0,
    url: 'https://media.example.net/api/v1/play/token/storyboard/1.0/0.jpg',
    x: 0,
    y: 0,
    width: 160,
    height: 90,
  })
  expect(tiles[111]).toMatchObject({ url: expect.stringContaining('/1.jpg'), x: 160, y: 90 })
})

test('a moment has the last tile that begins before it, at any length', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5400 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (segments, share) => {
        const tiles = read(segments)
        const at = share * segments * 4
        const slowly = tiles.filter(({ fromSeconds }) => fromSeconds <= at).at(-1)
        expect(tileAt(tiles, at)).toEqual(slowly)
      },
    ),
    { numRuns: 20 },
  )
  expect(tileAt([], 3)).toBeUndefined()
})

test('a text that is none has no tiles', () => {
  for (const text of ['', 'WEBVTT\n', '<!doctype html>', 'WEBVTT\n\n00:00 --> 00:04\nHello\n'])
    expect(readStoryboard(text, base)).toEqual([])
})
