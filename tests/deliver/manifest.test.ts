// Playlists against golden files, against an independent parser of RFC 8216, and against the RFC's own rules.
import * as HLS from 'hls-parser'
import { describe, expect, test } from 'vitest'
import { renderMaster, renderMedia } from '../../shared/deliver/manifest.ts'
import { segmentIv } from '../../shared/protect/iv.ts'
import { makeTimeline } from './timelines.ts'

const golden = (name: string) => `golden/${name}.m3u8`
type Media = HLS.types.MediaPlaylist
type Master = HLS.types.MasterPlaylist

HLS.setOptions({ strictMode: true })

function media(options: Parameters<typeof makeTimeline>[0], name: string): string {
  const timeline = makeTimeline(options)
  return renderMedia(timeline, timeline.renditions.find((each) => each.name === name)!, segmentIv)
}

describe('master playlist', () => {
  test('is the golden one, and an independent parser reads every attribute back', async () => {
    const text = renderMaster(makeTimeline().renditions)
    await expect(text).toMatchFileSnapshot(golden('master'))
    const master = HLS.parse(text) as Master
    expect(master.independentSegments).toBe(true)
    expect(master.variants.map((variant) => ({ ...variant.resolution, uri: variant.uri }))).toEqual([
      { width: 1280, height: 720, uri: 'v720.m3u8' },
      { width: 640, height: 360, uri: 'v360.m3u8' },
    ])
    const [best] = master.variants
    expect(best).toMatchObject({
      bandwidth: 3_400_000 + 131_072,
      averageBandwidth: 2_800_000 + 128_000,
      codecs: 'avc1.64001f,mp4a.40.2',
      frameRate: 29.97,
    })
    expect(best?.audio).toMatchObject([
      { uri: 'audio.m3u8', groupId: 'audio', isDefault: true, channels: '2' },
    ])
  })

  test('of a title without audio names no audio at all', async () => {
    const text = renderMaster(makeTimeline({ audio: false }).renditions)
    await expect(text).toMatchFileSnapshot(golden('master-silent'))
    const master = HLS.parse(text) as Master
    expect(master.variants.map((variant) => [variant.codecs, variant.audio, variant.bandwidth])).toEqual([
      ['avc1.64001f', [], 3_400_000],
      ['avc1.64001e', [], 900_000],
    ])
  })
})

describe('I-frames', () => {
  test('stand in the master behind the variants, and have a playlist of their own', async () => {
    const master = renderMaster(makeTimeline({ iframes: true }).renditions)
    await expect(master).toMatchFileSnapshot(golden('master-iframes'))
    const { variants } = HLS.parse(master) as Master
    expect(variants.map(({ uri, isIFrameOnly }) => [uri, isIFrameOnly])).toEqual([
      ['v720.m3u8', false],
      ['v360.m3u8', false],
      ['iframes.m3u8', true],
    ])
    expect(variants[2]).toMatchObject({ bandwidth: 60_000, resolution: { width: 640, height: 360 } })
    expect(variants[2]).toMatchObject({ codecs: 'avc1.64001e', audio: [] })

    const text = media({ iframes: true }, 'iframes')
    await expect(text).toMatchFileSnapshot(golden('iframes'))
    const playlist = HLS.parse(text) as Media
    expect(playlist).toMatchObject({ isIFrame: true, endlist: true, playlistType: 'VOD' })
    expect(playlist.segments.map(({ uri, duration }) => [uri, duration])).toEqual([
      ['iframes/1.0/0.m4s', 4],
      ['iframes/1.0/1.m4s', 4],
      ['iframes/1.0/2.m4s', 1.36],
    ])
  })

  test('never share an IV with the rendition that they are of, and grow as it does', () => {
    const growing = { iframes: true, ended: false, segments: 2 }
    const ivs = ['iframes', 'v360', 'v720'].flatMap((name) => media(growing, name).match(/IV=\S+/g) ?? [])
    expect(new Set(ivs).size).toBe(6)
    expect(media(growing, 'iframes')).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
  })
})

describe('media playlist', () => {
  test.each([
    ['ended', { ended: true }, 'v720'],
    ['growing', { ended: false, segments: 2 }, 'v720'],
    ['audio', { ended: true }, 'audio'],
    ['first', { ended: false, segments: 0 }, 'v360'],
  ])('%s is the golden one', async (name, options, rendition) => {
    await expect(media(options, rendition)).toMatchFileSnapshot(golden(name))
  })

  test('reads back with a clear init segment and an explicit IV of its own for every segment', () => {
    const playlist = HLS.parse(media({ segments: 30 }, 'v720')) as Media
    expect(playlist).toMatchObject({
      version: 6,
      targetDuration: 4,
      mediaSequenceBase: 0,
      endlist: true,
      playlistType: 'VOD',
    })
    expect(playlist.segments).toHaveLength(30)
    const ivs = playlist.segments.map(({ key }) => Buffer.from(key?.iv ?? new ArrayBuffer()).toString('hex'))
    expect(new Set(ivs).size).toBe(30)
    playlist.segments.forEach((segment, number) => {
      expect(segment.uri).toBe(`v720/1.0/${number}.m4s`)
      expect(segment.map?.uri).toBe('v720/1.0/init.mp4')
      expect(segment.key).toMatchObject({
        method: 'AES-128',
        uri: `keys/${Buffer.from('v720'.padEnd(16, '.')).toString('hex')}`,
      })
      const iv = segmentIv({ version: 1, planHash: '0123abcd', rendition: 'v720', number })
      expect(ivs[number]).toBe(Buffer.from(iv).toString('hex'))
    })
    expect(playlist.segments[2]?.duration).toBeCloseTo(1.36, 6)
  })

  test('EXT-X-MAP stands before the first EXT-X-KEY: else the init segment would count as encrypted', () => {
    const text = media({}, 'v720')
    expect(text.indexOf('#EXT-X-MAP')).toBeGreaterThan(0)
    expect(text.indexOf('#EXT-X-MAP')).toBeLessThan(text.indexOf('#EXT-X-KEY'))
    expect(text.match(/#EXT-X-MAP/g)).toHaveLength(1)
  })

  test('grows by appending alone, begins at its beginning, and ends once', () => {
    const segmentsOf = (text: string) =>
      text.slice(text.indexOf('#EXT-X-MAP')).replace('#EXT-X-ENDLIST\n', '')
    const steps = [1, 2, 3, 4].map((segments) => media({ ended: false, segments }, 'v720'))
    for (const [n, text] of steps.entries()) {
      expect(segmentsOf(steps[n + 1] ?? text).startsWith(segmentsOf(text))).toBe(true)
      const playlist = HLS.parse(text) as Media
      expect(playlist).toMatchObject({ playlistType: 'EVENT', endlist: false, start: { offset: 0 } })
    }
    expect(segmentsOf(media({ segments: 4 }, 'v720'))).toBe(segmentsOf(steps[3] ?? ''))
    expect(media({}, 'v720').match(/#EXT-X-ENDLIST/g)).toHaveLength(1)
  })

  test('EXTINF rounds to no more than the target duration (RFC 8216 4.3.3.1)', () => {
    for (const name of ['v720', 'audio']) {
      const playlist = HLS.parse(media({ segments: 5 }, name)) as Media
      for (const { duration } of playlist.segments)
        expect(Math.round(duration)).toBeLessThanOrEqual(playlist.targetDuration)
    }
  })
})

test('no playlist names a scheme, a host, a query, or a path that leaves its folder', () => {
  const texts = [renderMaster(makeTimeline().renditions), media({}, 'v720'), media({ ended: false }, 'audio')]
  for (const text of texts) {
    const uris = [...text.matchAll(/URI="([^"]*)"/g)]
      .map(([, uri]) => uri)
      .concat(text.split('\n').filter((line) => line && !line.startsWith('#')))
    expect(uris.length).toBeGreaterThan(2)
    for (const uri of uris)
      expect(uri).toMatch(/^[a-z0-9-]+(\/[a-z0-9.-]+)?(\/[a-z0-9-]+)?(\.(m3u8|mp4|m4s))?$/)
  }
})
