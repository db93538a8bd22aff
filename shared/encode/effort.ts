// What a title's units take to make, in pixels of all renditions: the one measure that quotes, executors and the fleet share.
import { chunkAt, chunkCount } from './grid.ts'
import type { Plan } from './plan.ts'

/** A frame of AAC, as pixels that are encoded in the same time. */
const soundFramePixels = 16_000

const framePixels = ({ renditions }: Pick<Plan, 'renditions'>): number =>
  renditions.reduce((sum, { width, height }) => sum + width * height, 0)

export const picturePixels = (plan: Plan): number => framePixels(plan) * plan.video.frames

export const chunkPixels = (plan: Plan, chunk: number): number =>
  framePixels(plan) * chunkAt(plan.video, chunk).frames

export const soundPixels = ({ audio }: Plan): number => (audio?.frames ?? 0) * soundFramePixels

/** Of chunk `chunk`, and of those that follow it in its part of the window; one that is in no part is followed by none. */
export function effortOf(
  plan: Plan,
  { chunk, step }: { chunk: number; step?: number | undefined },
): { pixels: number; rest: number } {
  let rest = 0
  if (step !== undefined)
    for (let next = chunk + step; next < chunkCount(plan.video); next += step) rest += chunkPixels(plan, next)
  return { pixels: chunkPixels(plan, chunk), rest }
}
