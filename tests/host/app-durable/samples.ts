// Our own equivalents of the orchestrations that the official samples for JavaScript show.

import type { OrchestrationContext, Task, TimerTask } from 'durable-functions'
import * as df from 'durable-functions'

const later = (context: OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms)

df.app.activity('Greet', { handler: (name: string) => `Hello, ${name}!` })
df.app.activity('ListFiles', {
  handler: (count: number) => Array.from({ length: count }, (_, n) => `file-${n}`),
})
df.app.activity('SizeOf', { handler: (file: string) => Number(file.split('-')[1]) * 10 })

/** Chaining. */
df.app.orchestration('Chain', function* (context) {
  const greetings: unknown[] = []
  for (const city of ['Paris', 'Lyon', 'Nice']) greetings.push(yield context.df.callActivity('Greet', city))
  return greetings
})

/** Fan-out, fan-in. */
df.app.orchestration('FanOut', function* (context) {
  const files = (yield context.df.callActivity('ListFiles', context.df.getInput())) as string[]
  const sizes = (yield context.df.Task.all(
    files.map((file) => context.df.callActivity('SizeOf', file)),
  )) as number[]
  return sizes.reduce((sum, size) => sum + size, 0)
})

let crowd = 0
let most = 0
df.app.activity('Crowd', {
  handler: async () => {
    const here = ++crowd
    most = Math.max(most, here)
    // Eight have the time to come together, however slow the machine is, and a ninth to be one too many.
    while (most < 8) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 30))
    crowd--
    return here
  },
})
df.app.orchestration('Crowds', function* (context) {
  const tasks = Array.from({ length: context.df.getInput() as number }, () =>
    context.df.callActivity('Crowd'),
  )
  return Math.max(...((yield context.df.Task.all(tasks)) as number[]))
})

const tries = new Map<string, number>()
df.app.activity('Flaky', {
  handler: ({ key, failures }: { key: string; failures: number }) => {
    const attempt = (tries.get(key) ?? 0) + 1
    tries.set(key, attempt)
    if (attempt <= failures) throw new Error(`attempt ${attempt} failed`)
    return attempt
  },
})

function policy(intervalMs: number, attempts: number, more: object = {}) {
  return Object.assign(new df.RetryOptions(intervalMs, attempts), more)
}

/** Retries: an activity that fails so many times, with so many attempts. */
df.app.orchestration('Retry', function* (context) {
  const { failures, attempts } = context.df.getInput() as { failures: number; attempts: number }
  const input = { key: context.df.instanceId, failures }
  try {
    return yield context.df.callActivityWithRetry(
      'Flaky',
      policy(50, attempts, { backoffCoefficient: 2 }),
      input,
    )
  } catch (error) {
    return `gave up: ${(error as Error).message.split('\n')[0]!.trim()}`
  }
})

/** Retries side by side with plain activities, timers and events: hidden sequence numbers must not mix them up. */
df.app.orchestration('RetryMix', function* (context) {
  const key = context.df.instanceId
  const flaky = (name: string, failures: number) =>
    context.df.callActivityWithRetry('Flaky', policy(20, 4), { key: `${key}-${name}`, failures })
  const first = yield context.df.Task.all([
    flaky('a', 2),
    context.df.callActivity('Greet', 'x'),
    flaky('b', 1),
  ])
  const second = yield context.df.callActivity('Greet', 'y')
  const deadline = context.df.createTimer(later(context, 60_000))
  const race = context.df.Task.any([flaky('c', 3), deadline])
  const winner = (yield race) as Task
  deadline.cancel()
  const third = yield context.df.callActivity('Greet', 'z')
  return { first, second, timedOut: winner === deadline, value: winner.result, third }
})

/** Sub-orchestrations, one after another and side by side, with ids of their own and without. */
df.app.orchestration('Parent', function* (context) {
  const own = yield context.df.callSubOrchestrator('Chain', undefined, `${context.df.instanceId}-chain`)
  const sums = yield context.df.Task.all([3, 4].map((n) => context.df.callSubOrchestrator('FanOut', n)))
  return { own, sums }
})

const childTries = new Map<string, number>()
df.app.orchestration('FlakyChild', function* (context) {
  const { key, failures } = context.df.getInput() as { key: string; failures: number }
  const attempt = (yield context.df.callActivity('CountTry', key)) as number
  if (attempt <= failures) throw new Error(`child attempt ${attempt} failed`)
  return { attempt, parent: context.df.parentInstanceId }
})
df.app.activity('CountTry', {
  handler: (key: string) => {
    childTries.set(key, (childTries.get(key) ?? 0) + 1)
    return childTries.get(key)
  },
})

df.app.orchestration('RetryChild', function* (context) {
  const input = { key: context.df.instanceId, ...(context.df.getInput() as object) }
  try {
    return yield context.df.callSubOrchestratorWithRetry('FlakyChild', policy(30, 3), input)
  } catch (error) {
    return (error as Error).message.split('\n')[0]!.trim()
  }
})

/** A monitor: polls with timers until the answer is good or the time is up. */
df.app.orchestration('Monitor', function* (context) {
  const { goodAfter, polls } = context.df.getInput() as { goodAfter: number; polls: number }
  for (let poll = 1; poll <= polls; poll++) {
    const seen = (yield context.df.callActivity('CountTry', context.df.instanceId)) as number
    if (seen >= goodAfter) return `good after ${seen}`
    yield context.df.createTimer(later(context, 200))
  }
  return 'gave up'
})

df.app.activity('Wait', {
  handler: (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)),
})

/** A timeout around slow work; the timer is cancelled when the work wins. */
df.app.orchestration('Timeout', function* (context) {
  const { workMs, limitMs } = context.df.getInput() as { workMs: number; limitMs: number }
  const work = context.df.callActivity('Wait', workMs)
  const limit = context.df.createTimer(later(context, limitMs))
  const winner = yield context.df.Task.any([work, limit])
  if (winner === limit) return 'timed out'
  limit.cancel()
  return 'in time'
})

/** The same with the timer forgotten: Azure keeps the instance running until it fires. */
df.app.orchestration('ForgottenTimer', function* (context) {
  const limit = context.df.createTimer(later(context, context.df.getInput() as number))
  yield context.df.Task.any([context.df.callActivity('Greet', 'x'), limit])
  return 'done'
})

/** An eternal orchestration that counts events, and stops at a limit. */
df.app.orchestration('Counter', function* (context) {
  const { count, until } = context.df.getInput() as { count: number; until: number }
  context.df.setCustomStatus({ count })
  if (count >= until) return count
  const step = (yield context.df.waitForExternalEvent('add')) as number
  context.df.continueAsNew({ count: count + step, until })
  return undefined
})

/** Ends by continueAsNew while a timer is still open: events that come meanwhile are for the next generation. */
df.app.orchestration('SlowCounter', function* (context) {
  const count = context.df.getInput() as number
  if (count === 3) return count
  const timer = context.df.createTimer(later(context, 1500))
  yield context.df.Task.any([context.df.waitForExternalEvent('add'), timer])
  context.df.continueAsNew(count + 1)
  return undefined
})

df.app.orchestration('EarlyTimer', function* (context) {
  const startMs = context.df.currentUtcDateTime.getTime()
  yield context.df.createTimer(new Date(startMs + (context.df.getInput() as number)))
  return context.df.currentUtcDateTime.getTime() - startMs
})

/** Human interaction: a code is sent, and the person has some tries and some time to enter it. */
df.app.orchestration('Approval', function* (context) {
  const { code, tries, limitMs } = context.df.getInput() as { code: number; tries: number; limitMs: number }
  yield context.df.callActivity('Greet', 'the phone')
  for (let left = tries; left > 0; left--) {
    const answer = context.df.waitForExternalEvent('answer')
    const limit: TimerTask = context.df.createTimer(later(context, limitMs))
    const winner = (yield context.df.Task.any([answer, limit])) as Task
    if (winner === limit) return 'expired'
    limit.cancel()
    if (winner.result === code) return 'approved'
  }
  return 'refused'
})

df.app.orchestration('CustomStatus', function* (context) {
  context.df.setCustomStatus('first')
  yield context.df.waitForExternalEvent('next')
  context.df.setCustomStatus({ step: 2 })
  yield context.df.waitForExternalEvent('next')
  return 'over'
})

df.app.orchestration('Facts', function* (context) {
  const [one, two] = [context.df.newGuid('x'), context.df.newGuid('x')]
  const replaying = [context.df.isReplaying]
  const { version } = context.df
  yield context.df.callActivity('Greet', 'x')
  replaying.push(context.df.isReplaying)
  return {
    version,
    guids: [one.length, one === two],
    same: one === context.df.getInput(),
    replaying,
    first: one,
  }
})
