// Orchestrations that hang, lose count or behave otherwise in Azure, and that the local engine refuses by name.

import type { OrchestrationContext, Task } from 'durable-functions'
import * as df from 'durable-functions'

const later = (context: OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms)
const wait = (context: OrchestrationContext, ms: number) => context.df.callActivity('Wait', ms)

/** The approval loop that everybody writes first: one timer, given to Task.any in every turn. */
df.app.orchestration('PendingAgain', function* (context) {
  const limit = context.df.createTimer(later(context, 60_000))
  yield context.df.Task.any([wait(context, 1), limit])
  yield context.df.Task.any([wait(context, 1), limit])
  limit.cancel()
})

/** What it should have been: the loop makes a new timer each time. */
df.app.orchestration('FreshEachTime', function* (context) {
  for (let turn = 0; turn < 2; turn++) {
    const limit = context.df.createTimer(later(context, 60_000))
    yield context.df.Task.any([wait(context, 1), limit])
    limit.cancel()
  }
  return 'fine'
})

df.app.orchestration('EventAgain', function* (context) {
  const event = context.df.waitForExternalEvent('never')
  yield context.df.Task.any([wait(context, 1), event])
  yield context.df.Task.any([wait(context, 1), event])
})

df.app.orchestration('TwiceInOne', function* (context) {
  const task = wait(context, 1)
  yield context.df.Task.all([task, task])
})

/** A task, or a Task.any object, that is itself yielded again is fine: nothing is listed twice. */
df.app.orchestration('SameObjectAgain', function* (context) {
  const slow = wait(context, 60)
  const race = context.df.Task.any([wait(context, 1), slow])
  const first = (yield race) as Task
  const second = (yield race) as Task
  return [first === second, yield slow]
})

df.app.orchestration('AllFinished', function* (context) {
  const tasks = [wait(context, 1), wait(context, 2)]
  yield context.df.Task.all(tasks)
  yield context.df.Task.all(tasks)
})

df.app.orchestration('FinishedAmongNew', function* (context) {
  const finished = wait(context, 1)
  yield finished
  yield context.df.Task.all([finished, wait(context, 2)])
})

df.app.orchestration('UnknownActivity', function* (context) {
  yield context.df.callActivity('NoSuchActivity', 1)
})

/** The refusal can't be caught: in Azure there would be nothing to catch. */
df.app.orchestration('UnknownChild', function* (context) {
  try {
    return yield context.df.callSubOrchestrator('NoSuchOrchestrator')
  } catch {
    return 'caught'
  }
})

df.app.orchestration('IntegerEvent', function* (context) {
  yield context.df.waitForExternalEvent(context.df.getInput() as string)
  return 'raised'
})

df.app.orchestration('BusyChild', function* (context) {
  return yield context.df.callSubOrchestrator('IntegerEvent', 'never', context.df.getInput() as string)
})

df.app.orchestration('RetryTimeout', function* (context) {
  const options = Object.assign(new df.RetryOptions(50, 2000), { retryTimeoutInMilliseconds: 60 })
  yield context.df.callActivityWithRetry('Boom', options, 'again')
})

df.app.activity('Boom', {
  handler: (text: string) => {
    throw new Error(`boom ${text}`)
  },
})

/** Does another thing at every replay. */
let runs = 0
df.app.orchestration('Undecided', function* (context) {
  const kind = context.df.getInput() as string
  if (runs++ % 2 === 0) yield wait(context, 1)
  else if (kind === 'name') yield context.df.callActivity('Boom', 'x')
  else if (kind === 'kind') yield context.df.createTimer(later(context, 100))
  return 'undecided'
})

df.app.orchestration('YieldsNumber', function* () {
  yield 5 as never
})

df.app.orchestration('Unsupported', function* (context) {
  const entity = new df.EntityId('Counter', 'one')
  const uses: Record<string, () => unknown> = {
    callHttp: () => context.df.callHttp({ method: 'GET', url: 'http://127.0.0.1:9/' }),
    callEntity: () => context.df.callEntity(entity, 'add', 1),
    'df.lock': () => context.df.lock(entity),
    signalEntity: () => {
      context.df.signalEntity(entity, 'add', 1)
      return wait(context, 1)
    },
  }
  yield uses[context.df.getInput() as string]!() as Task
})

df.app.orchestration('Large', function* (context) {
  const { where, sizeBytes } = context.df.getInput() as { where: string; sizeBytes: number }
  const text = 'x'.repeat(sizeBytes)
  if (where === 'custom status') context.df.setCustomStatus(text)
  if (where === 'activity input') yield context.df.callActivity('Measure', { text })
  if (where === 'activity output') yield context.df.callActivity('Blow', sizeBytes)
  if (where === 'child input') yield context.df.callSubOrchestrator('ReturnsInput', { text })
  if (where === 'next input') context.df.continueAsNew({ where: 'nowhere', sizeBytes: 1, text })
  return where === 'output' ? text : 'small'
})
df.app.activity('Measure', { handler: ({ text }: { text: string }) => text.length })
df.app.activity('Blow', { handler: (sizeBytes: number) => 'x'.repeat(sizeBytes) })

/** An event that came before it was awaited, in an execution that ended by continueAsNew. */
df.app.orchestration('Forgetful', function* (context) {
  if (context.df.getInput() === 'again') return 'over'
  yield context.df.waitForExternalEvent('go')
  context.df.continueAsNew('again')
  return undefined
})

df.app.orchestration('Fails', function* (context) {
  const limit = context.df.createTimer(later(context, 2500))
  yield context.df.Task.any([limit, wait(context, 1)])
  throw new Error('after all')
})

df.app.activity('Slow', {
  handler: async (ms: number) => {
    // The tests kill the process once they have read this: where it is held it goes on until then.
    process.stdout.write(`Slow runs for ${ms}.\n`)
    const isHeld = process.env['SLOW_IS_HELD'] === 'yes' && ms > 1
    await new Promise((resolve) => isHeld || setTimeout(resolve, ms))
    return `ran for ${ms}`
  },
})

df.app.orchestration('RunsSlow', function* (context) {
  const { isRetried, ms } = context.df.getInput() as { isRetried: boolean; ms: number }
  try {
    if (isRetried) return yield context.df.callActivityWithRetry('Slow', new df.RetryOptions(10, 3), ms)
    return yield context.df.callActivity('Slow', ms)
  } catch (error) {
    return (error as Error).message
  }
})

/** Sub-orchestrations, since Task.all would end with the first failure. */
df.app.orchestration('ManySlow', function* (context) {
  const input = { isRetried: false, ms: 150 }
  const tasks = Array.from({ length: context.df.getInput() as number }, () =>
    context.df.callSubOrchestrator('RunsSlow', input),
  )
  return yield context.df.Task.all(tasks)
})

/** A floating promise, as everybody forgets one some day. */
df.app.activity('Crash', {
  handler: async () => {
    void Promise.reject(new Error('nobody waits for this'))
    await new Promise((resolve) => setTimeout(resolve, 60_000))
  },
})
df.app.orchestration('Crashes', function* (context) {
  yield context.df.callActivity('Crash')
})
