// What ffmpeg says of a source while it works: where its first frame lies, and how much of it is damaged.
import { Problem } from '../core/problem.ts'
import { overlapSeconds } from './measure.ts'
import { audioRate } from './plan.ts'

export interface Remarks {
  take(line: string): void
  /** Number on the grid of the first frame that came out; undefined when none did. */
  firstFrame(): number | undefined
  /** Number of the frame at which all filters began anew; undefined when they never did. */
  anewAt(): number | undefined
  /** Pictures and packets that could not be decoded whole. */
  damaged(): number
  /** Whether nothing came at all. */
  isEmpty(): boolean
  /** Samples of sound after which its clock begins again, far behind; undefined when it never does. */
  restart(): number | undefined
}

const printed = /^(?:\[\w+ @ 0x[0-9a-f]+\] )?(-?\d+)\.0{6}$/
/** Where nothing came before the end, newer versions print the time that is none (AV_NOPTS_VALUE). */
const noTime = -(2 ** 63)
const damage =
  /corrupt decoded frame in stream|Error while decoding stream|Error submitting packet to decoder/
/** Of decoded sound, whose time base is its sampling rate; newer versions leave out where. */
const backwards = /Non-monoton\w+ DTS.*; previous: (\d+), current: (-?\d+);/
const restartSamples = overlapSeconds * audioRate

export function createRemarks(): Remarks {
  const begun: number[] = []
  let damaged = 0
  let empty = false
  let restart: number | undefined
  return {
    take(line) {
      const number = Number(printed.exec(line)?.[1])
      if (number > noTime) begun.push(number)
      else if (damage.test(line)) damaged++
      else if (line.includes('Output file is empty')) empty = true
      const [, previous, current] = backwards.exec(line) ?? []
      if (Number(previous) - Number(current) > restartSamples) restart ??= Number(previous)
    },
    firstFrame: () => begun[0],
    anewAt: () => begun[1],
    damaged: () => damaged,
    isEmpty: () => empty,
    restart: () => restart,
  }
}

/** What comes after it has times that were there already: half of the film would be missing, and nobody would know. */
export const beginsAgain = (seconds: number): Problem =>
  new Problem('source-unreadable', {
    detail: `Its clock begins again after ${Math.round(seconds)} s, as where several files were put one behind the other. Join them with an editor, or ffmpeg’s concat demuxer, and upload that.`,
  })

/** ffmpeg's words name the address it reads from, which is nobody's business. */
export const withoutAddress = (messages: string): string =>
  messages.replace(/http:\/\/127\.[^\s']*/g, 'source')
