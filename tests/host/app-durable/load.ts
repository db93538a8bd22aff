// A mixed load whose results do not depend on how often its process was killed on the way.
import { appendFileSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { OrchestrationContext, Task } from 'durable-functions'
import * as df from 'durable-functions'

const directory = () => process.env['LOAD_DIRECTORY'] ?? '.'
const policy = new df.RetryOptions(20, 6)
const later = (context: OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms)

/** Fails as often as it is told to, counted in a file, since memory does not survive. */
df.app.activity('LoadSquare', {
  handler: async ({ key, n, failures }: { key: string; n: number; failures: number }) => {
    const file = join(directory(), encodeURIComponent(key))
    const tries = existsSync(file) ? statSync(file).size : 0
    appendFileSync(file, '.')
    await new Promise((resolve) => setTimeout(resolve, n % 7))
    if (tries < failures) throw new Error(`try ${tries + 1} of ${key}`)
    return n * n
  },
})

const square = (context: OrchestrationContext, n: number, failures = 0) =>
  context.df.callActivityWithRetry('LoadSquare', policy, {
    key: `${context.df.instanceId}.${n}`,
    n,
    failures,
  })

df.app.orchestration('LoadFan', function* (context) {
  const count = context.df.getInput() as number
  const tasks = Array.from({ length: count }, (_, n) => square(context, n, n % 4 === 0 ? 2 : 0))
  const squares = (yield context.df.Task.all(tasks)) as number[]
  return squares.reduce((sum, value) => sum + value, 0)
})

df.app.orchestration('LoadChain', function* (context) {
  let sum = 0
  for (let n = 0; n < (context.df.getInput() as number); n++) sum += (yield square(context, n)) as number
  return sum
})

df.app.orchestration('LoadTimers', function* (context) {
  const passed: string[] = []
  for (let n = 0; n < (context.df.getInput() as number); n++) {
    const far = context.df.createTimer(later(context, 3_600_000))
    const winner = (yield context.df.Task.any([context.df.createTimer(later(context, 40 + n)), far])) as Task
    if (winner !== far) far.cancel()
    yield context.df.createTimer(later(context, 1200))
    passed.push(winner === far ? 'far' : 'near')
  }
  return passed
})

/** Collects events until the last one; each one counts exactly once. */
df.app.orchestration('LoadEvents', function* (context) {
  const seen: number[] = []
  for (;;) {
    const value = (yield context.df.waitForExternalEvent('value')) as number
    if (value < 0) return seen
    seen.push(value)
    if (value % 3 === 0) yield square(context, value)
  }
})

df.app.orchestration('LoadParent', function* (context) {
  const children = Array.from({ length: context.df.getInput() as number }, (_, n) =>
    context.df.callSubOrchestratorWithRetry('LoadChain', policy, n + 2, `${context.df.instanceId}-${n}`),
  )
  const sums = (yield context.df.Task.all(children)) as number[]
  const last = yield context.df.callSubOrchestrator('LoadFan', 5)
  return [...sums, last]
})

df.app.orchestration('LoadAgain', function* (context) {
  const { left, sum } = context.df.getInput() as { left: number; sum: number }
  if (left === 0) return sum
  const more = (yield square(context, left)) as number
  context.df.continueAsNew({ left: left - 1, sum: sum + more })
  return undefined
})
