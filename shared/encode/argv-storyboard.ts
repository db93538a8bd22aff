// The command line that makes one sprite of the storyboard: every picture there is, small, side by side in a JPEG.
import { inputArgv, loud } from './argv.ts'
import { matrixChange } from './picture.ts'
import type { Plan } from './plan.ts'
import type { Container } from './sniff.ts'
import type { Board } from './storyboard.ts'

export interface SpriteAsk {
  readonly url: string
  readonly container: Container
  readonly board: Board
  readonly tiles: number
}

/** The I-frames are upright, of standard range and in the title's own colours already; JFIF wants BT.601, full range. */
export function spriteArgv({ video }: Plan, { url, container, board, tiles }: SpriteAsk): string[] {
  const { tileWidth, tileHeight, columns } = board
  const colours = `${matrixChange(video.colours.matrix, 'bt601')}:out_range=pc`
  const scale = `scale=${tileWidth}:${tileHeight}:flags=bicubic${colours},format=yuvj420p,setsar=1`
  return [
    ...[...loud, '-y', '-threads', '1', ...inputArgv(container, url)],
    ...['-vf', `${scale},tile=${columns}x${Math.ceil(tiles / columns)}`, '-frames:v', '1'],
    ...[
      '-map_metadata',
      '-1',
      '-flags',
      '+bitexact',
      '-threads',
      '1',
      '-q:v',
      '4',
      '-f',
      'mjpeg',
      'sprite.jpg',
    ],
  ]
}
