// How a media segment is written (ISO/IEC 14496-12 8.8): one moof and one mdat, all samples equally long.
import { box, fullBox, u32, u64 } from './box-writer.ts'

export interface Sample {
  readonly data: Uint8Array
  /** Ticks from when it is decoded to when it is shown. */
  readonly compositionOffset: number
}

export interface Fragment {
  /** From 1, over the whole rendition. */
  readonly sequence: number
  /** Ticks, from the start of the title. */
  readonly decodeTime: number
  readonly sampleTicks: number
  readonly kind: 'video' | 'audio'
  readonly samples: readonly Sample[]
}

// Sample flags (8.8.3.1): depends on no other; depends on others and is no sync sample.
const sync = 0x02000000
const dependent = 0x01010000

const baseIsMoof = 0x020000
const defaultDuration = 0x08
const defaultFlags = 0x20

function trackRun({ kind, samples }: Fragment, dataOffset: number): Buffer {
  if (kind === 'audio')
    return fullBox(
      'trun',
      0,
      0x201,
      u32(samples.length, dataOffset),
      u32(...samples.map((s) => s.data.length)),
    )
  const rows = samples.flatMap((sample) => [sample.data.length, sample.compositionOffset])
  return fullBox('trun', 0, 0xa05, u32(samples.length, dataOffset, sync), u32(...rows))
}

function movieFragment(fragment: Fragment, dataOffset: number): Buffer {
  const { sequence, decodeTime, sampleTicks, kind } = fragment
  const defaults = u32(1, sampleTicks, kind === 'audio' ? sync : dependent)
  return box(
    'moof',
    fullBox('mfhd', 0, 0, u32(sequence)),
    box(
      'traf',
      fullBox('tfhd', 0, baseIsMoof | defaultDuration | defaultFlags, defaults),
      fullBox('tfdt', 1, 0, u64(decodeTime)),
      trackRun(fragment, dataOffset),
    ),
  )
}

export function writeFragment(fragment: Fragment): Buffer {
  const headBytes = movieFragment(fragment, 0).length + 8
  const data = fragment.samples.map((sample) => sample.data)
  return Buffer.concat([movieFragment(fragment, headBytes), box('mdat', data)])
}
