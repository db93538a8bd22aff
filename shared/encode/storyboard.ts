// How the storyboard lies on a title: which segments' first pictures stand in which sprite, and how large.
import { segmentCount } from './grid.ts'
import type { Plan } from './plan.ts'

export interface Board {
  readonly tileWidth: number
  readonly tileHeight: number
  readonly columns: number
  readonly rows: number
  /** Segments from one tile to the next. */
  readonly step: number
  /** Of each sprite, the numbers of the segments whose first pictures are its tiles, row by row. */
  readonly sprites: ReadonlyArray<readonly number[]>
}

const gridSide = 10
/** Two hours and a quarter in steps of four seconds; what is longer has wider steps. */
const mostSprites = 20
const tileLongSide = 160

const even = (value: number): number => Math.max(2, 2 * Math.round(value / 2))

/** Undefined for a plan that keeps no I-frames by themselves: the tiles are made of these. */
export function layStoryboard({ renditions, iframes, video }: Plan): Board | undefined {
  const picture = renditions.find(({ name }) => name === iframes)
  if (!picture) return undefined
  const scale = Math.min(1, tileLongSide / Math.max(picture.width, picture.height))
  const segments = segmentCount(video)
  const step = Math.ceil(segments / (mostSprites * gridSide * gridSide))
  const tiles = Array.from({ length: Math.ceil(segments / step) }, (_, n) => n * step)
  const columns = Math.min(gridSide, tiles.length)
  const perSprite = columns * gridSide
  return {
    tileWidth: even(picture.width * scale),
    tileHeight: even(picture.height * scale),
    columns,
    rows: gridSide,
    step,
    sprites: Array.from({ length: Math.ceil(tiles.length / perSprite) }, (_, n) =>
      tiles.slice(n * perSprite, (n + 1) * perSprite),
    ),
  }
}
