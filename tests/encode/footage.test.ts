// Real footage, whole or broken, ends as its maker would want. MEDIA=all takes every file there is.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Encoded } from './film.ts'
import { audioOf, encodeFilm, inspect, videosOf } from './film.ts'

const folder = fileURLToPath(new URL('../../../shared/media/', import.meta.url))
const all = process.env['MEDIA'] === 'all'

interface Expected {
  readonly size: string
  readonly seconds: number
  readonly rate: number
  readonly sound: boolean
  /** Only with MEDIA=all. */
  readonly long?: boolean
}
const film = (size: string, seconds: number, rate: number, more: Partial<Expected> = {}): Expected => ({
  size,
  seconds,
  rate,
  sound: true,
  ...more,
})
const mute = { sound: false }
const long = { long: true }

/** Sizes as seen: upright, square pixels; rates exact to a thousandth. */
const expected: Record<string, Expected | string> = {
  'cam-mdn-flower.mp4': film('960x540', 5.05, 29.97, long),
  'cam-mdn-flower.webm': film('960x540', 5.05, 29.97, long),
  'cam-mdn-stream-of-water.mp4': film('480x360', 3.15, 29.97, long),
  'mdn-friday.mp4': film('640x480', 6.16, 30, long),
  'mdn-crystal.mp4': film('720x480', 11.97, 30, long),
  'cam-intel-car.mp4': film('768x432', 30.2, 12.5, long),
  'cam-intel-bottle.mp4': film('640x360', 39.85, 29.833, { ...mute, ...long }),
  'cam-intel-person.mp4': film('768x432', 139.4, 10, long),
  'ax-internal_emulator_transformer_output_270_rotated.mp4': film('720x1280', 4.97, 29.97, long),
  'ax-hlg10-color-test.mp4': film('1920x1080', 0.3, 29.99, long),
  'ax-hdr10-av1.mp4': film('720x1280', 4.23, 29.97, long),
  'ax-sample_edit_list.mp4': film('1080x1920', 2.5, 29.97, long),
  'ax-sample_android_slow_motion.mp4': film('1280x720', 0.52, 30, mute),
  'ax-sample_shorter_audio.mp4': film('320x240', 1.2, 60),
  'ax-sample_video_only.mp4': film('1080x720', 1, 29.97, { ...mute, ...long }),
  'ax-sample_with_srt.mkv': film('1080x720', 1, 60, long),
  'ax-sample_with_vtt_subtitles.mkv': film('1080x720', 1, 60, long),
  'ax-sample_with_pgs_subtitles.mkv': film('1080x720', 0.05, 60, long),
  'ax-sample_fragmented.mp4': film('1080x720', 1, 29.97),
  'ax-long_1080p_lowbitrate.mp4': film('1920x1080', 362.77, 30, long),
  'ax-sowt-with-video.mov': film('1920x1080', 2, 50, long),
  'ax-sample.avi': film('960x400', 4.09, 23.976, long),
  'ax-sample.flv': film('1080x720', 1, 60),
  'opf-hdv-1080i50.mov': film('1920x1080', 1, 25, mute),
  'opf-apple-prores-422-hq.mov': film('320x240', 1, 25, mute),
  'mb-sar_2x1.mp4': film('1280x360', 5, 30, { ...mute, ...long }),
  'mb-video.mp4': film('1920x1080', 5.05, 25, long),
  'ax-sample_missing_stsd.mp4': 'source-unreadable',
  'ax-sample_malformed_free_box.mp4': 'source-',
  'ax-sample_vvc.mp4': 'source-unreadable',
  'ax-sample_eac3.mp4': 'source-without-video',
  'mb-multiple-aac-tracks.mp4': 'source-without-video',
}

function expectFilm({ timeline, plan, file }: Encoded, wanted: Expected): void {
  const [top] = videosOf(timeline)
  expect(`${top?.width}x${top?.height}`).toBe(wanted.size)
  expect(top?.frameRate).toBeCloseTo(wanted.rate, 2)
  expect(
    Math.abs((plan.video.frames * plan.video.frameTicks) / plan.video.timescale - wanted.seconds),
  ).toBeLessThan(0.3)
  expect(audioOf(timeline) !== undefined).toBe(wanted.sound)
  for (const rendition of timeline.renditions) {
    const { packets, warnings } = inspect(file(rendition))
    expect(warnings).toBe('')
    expect(packets[0]?.pts).toBe(0)
    if (rendition.kind === 'video') expect(packets).toHaveLength(plan.video.frames)
  }
}

for (const [name, wanted] of Object.entries(expected)) {
  const there = existsSync(`${folder}${name}`)
  const chosen = all || typeof wanted === 'string' || !wanted.long
  test.skipIf(!there || !chosen)(name, { timeout: 900_000 }, async () => {
    const made = encodeFilm(readFileSync(`${folder}${name}`), 4, { withPoster: true, withImages: true })
    if (typeof wanted === 'string') await expect(made).rejects.toThrow(wanted)
    else expectFilm(await made, wanted)
  })
}
