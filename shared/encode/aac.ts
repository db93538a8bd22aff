// How sound becomes segments: AAC frames are cut out of an ADTS stream and given an init segment of our own.
import { ascii, box, fullBox, u8, u16, u32 } from './box-writer.ts'
import { audioFrameSamples, audioRate } from './plan.ts'

/** The encoder's priming: its first frame holds nothing that is to be heard (ISO/IEC 14496-24). */
export const primingFrames = 1

export interface FrameCutter {
  /** The whole frames in what has come so far, without their headers. */
  push(bytes: Uint8Array): Uint8Array[]
}

/** ADTS (ISO/IEC 13818-7 6.2): 7 bytes with a sync word and a 13-bit length, no CRC as ffmpeg writes it. */
export function createFrameCutter(): FrameCutter {
  let rest: Uint8Array = new Uint8Array()
  return {
    push(bytes) {
      const all = Buffer.concat([rest, bytes])
      const frames: Uint8Array[] = []
      let at = 0
      while (all.length - at >= 7) {
        if (all.readUInt16BE(at) >> 1 !== 0xfff1 >> 1) throw new Error('lost the ADTS sync word')
        const length = (all.readUIntBE(at + 3, 3) >> 5) & 0x1fff
        if (length < 7) throw new Error('an ADTS frame is shorter than its header')
        if (all.length - at < length) break
        frames.push(all.subarray(at + 7, at + length))
        at += length
      }
      rest = all.subarray(at)
      return frames
    },
  }
}

export const aacCodecs = 'mp4a.40.2'

/** A descriptor of MPEG-4 Systems (ISO/IEC 14496-1 8.3.3); ours are all shorter than 128 bytes. */
const descriptor = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([u8(tag, body.length), body])
}

/** AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1): AAC LC, 48 kHz, one or two channels. */
const specificConfig = (channels: 1 | 2): Buffer => u16((2 << 11) | (3 << 7) | (channels << 3))

function elementaryStream(channels: 1 | 2, bitsPerSecond: number): Buffer {
  const decoder = descriptor(
    4,
    u8(0x40, 0x15, 0, 0, 0),
    u32(bitsPerSecond, bitsPerSecond),
    descriptor(5, specificConfig(channels)),
  )
  return fullBox('esds', 0, 0, descriptor(3, u16(1), u8(0), decoder, descriptor(6, u8(2))))
}

const unity = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

function track(channels: 1 | 2, bitsPerSecond: number): Buffer {
  const sampleEntry = box(
    'mp4a',
    ...[u32(0), u16(0, 1), u32(0, 0), u16(channels, 16, 0, 0), u32(audioRate << 16)],
    elementaryStream(channels, bitsPerSecond),
  )
  const noTable = u32(0)
  const stbl = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
    fullBox('stts', 0, 0, noTable),
    fullBox('stsc', 0, 0, noTable),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, noTable),
  )
  const dinf = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)))
  const undetermined = u16(0x55c4, 0)
  return box(
    'trak',
    fullBox('tkhd', 0, 3, u32(0, 0, 1, 0, 0, 0, 0), u16(0, 1, 0x0100, 0), unity, u32(0, 0)),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, audioRate, 0), undetermined),
      fullBox('hdlr', 0, 0, u32(0), ascii('soun'), u32(0, 0, 0), ascii('Sound\0')),
      box('minf', fullBox('smhd', 0, 0, u32(0)), dinf, stbl),
    ),
  )
}

/** A CMAF header (ISO/IEC 23000-19 7.3.1): a movie without samples; its track is extended by fragments. */
export const audioInit = (channels: 1 | 2, bitsPerSecond: number): Buffer =>
  Buffer.concat([
    box('ftyp', ascii('iso6'), u32(0), ascii('iso6cmfcmp41')),
    box(
      'moov',
      fullBox(
        'mvhd',
        0,
        0,
        u32(0, 0, 1000, 0, 0x10000),
        u16(0x0100, 0),
        u32(0, 0),
        unity,
        u32(0, 0, 0, 0, 0, 0, 2),
      ),
      track(channels, bitsPerSecond),
      box('mvex', fullBox('trex', 0, 0, u32(1, 1, audioFrameSamples, 0, 0))),
    ),
  ])
