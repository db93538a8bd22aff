// A title's beginning: the chunks that the app soon makes itself where no worker takes them, so that it plays while machines wake.
import type { EncodeDeps } from './deps.ts'
import { chunkAt, chunkCount } from './grid.ts'
import { frameSeconds, type Plan } from './plan.ts'
import { doneId } from './units.ts'

type Limits = Pick<EncodeDeps, 'limits'>

export const isOfBeginning = ({ limits }: Limits, plan: Plan, chunk: number): boolean =>
  chunkAt(plan.video, chunk).firstFrame * frameSeconds(plan) < limits.beginningSeconds

/** Chunks of it are made side by side; when the last one is there, next to nothing is missing. */
export async function isBeginningMade(
  deps: Pick<EncodeDeps, 'limits' | 'units'>,
  plan: Plan,
  jobId: string,
): Promise<boolean> {
  const chunks = Array.from({ length: chunkCount(plan.video) }, (_, chunk) => chunk)
  const last = chunks.findLast((chunk) => isOfBeginning(deps, plan, chunk)) ?? 0
  return last === 0 || (await deps.units.get(jobId, doneId(jobId, last))) !== undefined
}
