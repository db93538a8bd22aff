// The command line that makes a poster of one moment.
import { inputArgv, loud, seconds, shortSockets } from './argv.ts'
import { matrixChange } from './picture.ts'
import type { Plan } from './plan.ts'

export interface PosterAsk {
  readonly url: string
  readonly atSeconds: number
}

/** One frame twice: as JPEG of at most 1280 pixels across, and as 32 × 32 grey values that tell whether it is black. */
export function posterArgv(plan: Plan, { url, atSeconds }: PosterAsk): string[] {
  const top = plan.renditions[0]
  if (!top) throw new RangeError('the plan has no rendition')
  const width = Math.min(top.width, 1280)
  const height = 2 * Math.round((top.height * width) / top.width / 2)
  const { video, source } = plan
  const at = atSeconds > 0 ? ['-ss', seconds(atSeconds)] : []
  const matrix = video.toneMapping.length ? 'bt709' : video.matrix
  // JFIF knows one matrix and one range: those of BT.601, full.
  const scale = `scale=${width}:${height}:flags=bicubic${matrixChange(matrix, 'bt601')}:out_range=pc`
  const upright = [
    ...(video.deinterlace ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    ...(video.toneMapping.length ? [`scale=${width}:${height}`, ...video.toneMapping] : []),
    `${scale},format=yuvj420p,setsar=1,split=2[a][b];[b]scale=32:32,format=gray[g]`,
  ]
  return [
    ...loud,
    ...['-y', ...at, '-threads', String(plan.threads), ...shortSockets, ...inputArgv(source, url)],
    ...['-filter_complex', `[0:${video.stream}]${upright.join(',')}`],
    ...['-map', '[a]', '-map_metadata', '-1', '-frames:v', '1', '-q:v', '3', '-f', 'mjpeg', 'poster.jpg'],
    ...['-map', '[g]', '-frames:v', '1', '-f', 'rawvideo', 'pipe:1'],
  ]
}
