// What every unit of work begins with: its plan, the very ffmpeg of that plan, and its source opened.
import type { Asset } from '../assets/model.ts'
import { Problem } from '../core/problem.ts'
import type { EncodeDeps } from './deps.ts'
import { Plan } from './plan.ts'
import type { Layout, OpenedSource, RunOutcome } from './ports.ts'
import { titleOf } from './watch.ts'
import { withoutAddress } from './words.ts'
import type { PlannedTarget } from './work.ts'

export const readPlan = async (deps: EncodeDeps, input: PlannedTarget): Promise<Plan> =>
  (await readTitle(deps, input)).plan

/** The title as its encode sees it, and the plan that it follows. */
export async function readTitle(
  deps: EncodeDeps,
  input: PlannedTarget,
): Promise<{ title: Asset; plan: Plan }> {
  const title = await titleOf(deps, input)
  const plan = await deps.plans.get(input.plan, async () => {
    const bytes = await deps.media.get(input.plan)
    if (!bytes) throw new Problem('asset-failed')
    const plan = Plan.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')))
    if (!plan.success)
      throw new Problem('encode-outdated', {
        detail: 'This title is encoded by a plan of another version of the application.',
      })
    return plan.data
  })
  return { title, plan }
}

/** Another build would write other bytes under the same names. */
export async function requireBuild(deps: EncodeDeps, plan: Plan): Promise<void> {
  const { build } = await deps.ffmpeg.tools()
  if (build !== plan.build)
    throw new Problem('encode-outdated', {
      detail: `This title is encoded with ffmpeg ${plan.build}; here is ${build}.`,
    })
}

export interface Reading {
  readonly plan: Plan
  readonly assetId: string
  readonly unit: string
  readonly layout?: Layout | undefined
}

/** What each unit read is in the log: it is what a store charges for, and what more machines read more of. */
export async function withSource<T>(
  deps: EncodeDeps,
  { plan, assetId, unit, layout }: Reading,
  work: (opened: OpenedSource) => Promise<T>,
): Promise<T> {
  const beganMs = deps.clock.now()
  const opened = await deps.ffmpeg.open(plan.source, deps.sources, layout)
  try {
    return await work(opened)
  } finally {
    await opened.close()
    const facts = { bytes: opened.fetchedBytes(), ms: deps.clock.now() - beganMs }
    deps.log('info', 'encode.read', { assetId, unit, ...facts })
  }
}

/** Whoever killed it, the source is not to blame. */
export const killed = (): Error => new Error('ffmpeg was killed, perhaps for want of memory')

/** A run that did not end well, as the Problem of its title; a killed one is tried again. */
export function refuse(
  deps: EncodeDeps,
  unit: { assetId: string; name: string },
  outcome: RunOutcome,
): Problem | Error {
  const { end, messages } = outcome
  deps.log('error', 'encode.ffmpeg-failed', { ...unit, end, messages: withoutAddress(messages) })
  if (end === 'too-slow') return new Problem('encode-too-slow')
  if (end === 'killed') return killed()
  return new Problem('encode-failed')
}
