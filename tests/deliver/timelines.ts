// Timelines for tests, drawn by rule: every number can be told from its place.
import type { Timeline, TimelineRendition } from '../../shared/assets/timeline.ts'

export const assetId = 'ast_00000000000000000001' as const
export const tenantId = 'ten_00000000000000000001' as const
const folder = `${tenantId}/${assetId}/v1/0123abcd`

const rendition = (
  facts: Pick<TimelineRendition, 'name' | 'kind' | 'codecs'> & Partial<TimelineRendition>,
  segments: number,
): TimelineRendition => ({
  averageBandwidth: 100_000,
  bandwidth: 120_000,
  keyId: Buffer.from(facts.name.padEnd(16, '.')).toString('hex'),
  init: { blob: `${folder}/${facts.name}/init.mp4`, sizeBytes: 800 },
  segments: Array.from({ length: segments }, (_, n) => ({
    durationSeconds: n === 2 ? 1.36 : facts.kind === 'audio' ? 4.010667 : 4,
    sizeBytes: 4096 + 16 * n,
    blob: `${folder}/${facts.name}/${n}.m4s`,
  })),
  ...facts,
})

export function makeTimeline({
  segments = 3,
  ended = true,
  audio = true,
  generation = 0,
  iframes = false,
  sprites = 0,
} = {}): Timeline {
  const video = { kind: 'video' as const, frameRate: 30_000 / 1001 }
  const renditions = [
    rendition(
      {
        ...video,
        name: 'v720',
        codecs: 'avc1.64001f',
        width: 1280,
        height: 720,
        averageBandwidth: 2_800_000,
        bandwidth: 3_400_000,
      },
      segments,
    ),
    rendition(
      {
        ...video,
        name: 'v360',
        codecs: 'avc1.64001e',
        width: 640,
        height: 360,
        averageBandwidth: 700_000,
        bandwidth: 900_000,
      },
      segments,
    ),
    ...(audio
      ? [
          rendition(
            {
              name: 'audio',
              kind: 'audio',
              codecs: 'mp4a.40.2',
              channels: 2,
              averageBandwidth: 128_000,
              bandwidth: 131_072,
            },
            segments,
          ),
        ]
      : []),
    ...(iframes
      ? [
          rendition(
            {
              name: 'iframes',
              kind: 'iframes',
              codecs: 'avc1.64001e',
              width: 640,
              height: 360,
              averageBandwidth: 40_000,
              bandwidth: 60_000,
            },
            segments,
          ),
        ]
      : []),
  ]
  return {
    schema: 1,
    assetId,
    version: 1,
    generation,
    planHash: '0123abcd',
    scheme: 'aes-128',
    targetDurationSeconds: 4,
    durationSeconds: 9.36,
    ended,
    renditions,
    poster: `${tenantId}/${assetId}/v1/poster.jpg`,
    ...(sprites > 0
      ? {
          storyboard: {
            tileWidth: 160,
            tileHeight: 90,
            columns: 10,
            rows: 10,
            step: Math.ceil(segments / (sprites * 100)),
            sprites: Array.from({ length: sprites }, (_, n) => ({
              blob: `${folder}/storyboard/${n}.jpg`,
              sizeBytes: 30_000 + n,
            })),
          },
        }
      : {}),
  }
}
