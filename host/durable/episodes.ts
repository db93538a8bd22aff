// Runs orchestrators: one episode of an instance at a time, several instances side by side, each episode one transaction.
import { setTimeout as sleep } from 'node:timers/promises'
import type { DurableOptions } from '../contract.ts'
import { readAnswer } from './answer.ts'
import { pickBatch } from './batch.ts'
import { commitEpisode } from './commit.ts'
import { type Decision, decide, emptyPlan, failed, type Surroundings } from './decide.ts'
import { close, type Execution, fold, newExecution } from './execution.ts'
import { codes, type HistoryEvent, historyEvent } from './history.ts'
import { refusals } from './refusals.ts'
import { type Instance, isActive, type Store, type Work } from './store.ts'

export interface EpisodeOptions {
  readonly store: Store
  readonly options: DurableOptions
  readonly enqueue: (work: readonly Work[]) => void
  readonly armTimers: () => void
  readonly onFault: (error: unknown) => void
}

/**
 * Every replay reads the whole history. While results come in by the dozen, an instance rests between episodes for as
 * long as the last one took, at most this long, so that replays take no more than half of the time.
 */
const longestRestMs = 50

/** Histories kept in memory between episodes; the table is the truth, and any error drops them. */
const keptExecutions = 100

export function createEpisodes({ store, options, enqueue, armTimers, onFault }: EpisodeOptions) {
  const { app, hostJson, log } = options
  const names = (trigger: string) =>
    new Set([...app.functions.values()].filter((one) => one.trigger === trigger).map(({ name }) => name))
  const known = { activities: names('activityTrigger'), orchestrators: names('orchestrationTrigger') }
  const kept = new Map<string, Execution>()
  const ready = new Set<string>()
  const running = new Map<string, Promise<void>>()
  let isStopped = true

  function wake(instanceId: string): void {
    ready.add(instanceId)
    setImmediate(startReady)
  }

  function startReady(): void {
    if (isStopped) return
    for (const id of ready) {
      if (running.size >= hostJson.durable.maxConcurrentOrchestrators) return
      if (running.has(id)) continue
      ready.delete(id)
      const episode = runEpisode(id)
        .catch((error: unknown) => {
          kept.delete(id)
          onFault(error)
        })
        .finally(() => {
          running.delete(id)
          startReady()
        })
      running.set(id, episode)
    }
  }

  function load(instance: Instance): Execution {
    const found = kept.get(instance.id)
    kept.delete(instance.id)
    if (found?.executionId === instance.executionId) return found
    const { id: instanceId, executionId, name } = instance
    const execution = newExecution({ instanceId, executionId, name })
    for (const { json, ...stored } of store.history(instanceId)) fold(execution, stored, json)
    return execution
  }

  function keep(execution: Execution): void {
    kept.set(execution.instanceId, execution)
    if (kept.size > keptExecutions) kept.delete(kept.keys().next().value!)
  }

  async function runEpisode(id: string): Promise<void> {
    const instance = store.instance(id)
    if (!instance || !isActive(instance)) {
      store.sql.clearInbox.run(id, 1)
      return
    }
    const startMs = performance.now()
    const execution = load(instance)
    const batch = instance.isFresh ? firstBatch(instance) : pickBatch(execution, store.inbox(id))
    const { consumed } = batch
    if (batch.events.length === 0) {
      for (const message of consumed) store.sql.dropMessage.run(message)
      return keep(execution)
    }
    const place = execution.length
    const nowMs = Math.max(Date.now(), execution.lastMs)
    const opening = [historyEvent(codes.orchestratorStarted, nowMs), ...batch.events.filter(isHistoric)]
    for (const event of opening) fold(execution, { event })
    const decision = await turn({ instance, execution, events: batch.events, nowMs })
    if (!store.isOpen()) return
    const { events, activities, woken, hasTimers } = commitEpisode(store, {
      ...{ instance, place, opening, consumed, decision },
    })
    for (const stored of events.slice(opening.length)) fold(execution, stored, stored.json)
    for (const task of decision.cancelled) close(execution, execution.tasks.get(task)!)
    if (!decision.end && !decision.again) keep(execution)
    report(instance, decision)
    enqueue(activities)
    if (hasTimers) armTimers()
    for (const one of woken) wake(one)
    if (batch.isMoreWaiting) wake(id)
    else if (!decision.end && execution.openTasks > 1)
      await sleep(Math.min(performance.now() - startMs, longestRestMs))
  }

  /** `execution` holds the episode's opening already: what the orchestrator is about to see. */
  async function turn({ instance, execution, events, nowMs }: Turn): Promise<Decision> {
    const refused = events.find(({ EventType }) => EventType === codes.refused)
    if (refused) return failed(execution, nowMs, refused.Reason ?? '')
    if (!known.orchestrators.has(instance.name))
      return failed(execution, nowMs, refusals.unknownOrchestrator(instance.name, known.orchestrators))
    const answer = readAnswer(await app.invoke(instance.name, { string: payload(instance, execution) }))
    const ended = events.find(({ EventType }) => EventType === codes.executionTerminated)
    if (ended) {
      const end = { status: 'Terminated', output: JSON.stringify(ended.Input ?? null) } as const
      return { plan: emptyPlan(execution, nowMs), cancelled: [], end }
    }
    if (typeof answer === 'string') return failed(execution, nowMs, answer)
    const around: Surroundings = {
      ...{ nowMs, ...known, defaultVersion: hostJson.durable.defaultVersion ?? '' },
      activeStatus(instanceId) {
        const found = store.instance(instanceId)
        return found && isActive(found) ? found.status : undefined
      },
    }
    return decide(execution, { batch: events, answer, around })
  }

  function report({ id, name }: Instance, { end, again }: Decision): void {
    if (end?.status === 'Failed')
      log('warn', `Orchestration '${name}' (${id}) failed: ${firstLine(end.output)}`)
    for (const event of again?.lost ?? [])
      log(
        'warn',
        `Orchestration '${name}' (${id}) continued as new; event '${event}' was never awaited and is lost.`,
      )
  }

  return {
    wake,
    start() {
      isStopped = false
      for (const id of store.waiting()) wake(id)
    },
    async stop() {
      isStopped = true
      await Promise.all(running.values())
    },
  }
}

const isHistoric = ({ EventType }: HistoryEvent) => EventType !== codes.refused

const firstLine = (output: string) => String(JSON.parse(output)).split('\n')[0]

function firstBatch({ name, version, createdMs }: Instance) {
  const event = historyEvent(codes.executionStarted, createdMs, { Name: name, Version: version })
  return { events: [event], consumed: [], isMoreWaiting: true }
}

interface Turn {
  readonly instance: Instance
  readonly execution: Execution
  readonly events: readonly HistoryEvent[]
  readonly nowMs: number
}

/** The trigger's value. A short timer may be as long as it likes: the table holds it, so the library need not cut it up. */
function payload(instance: Instance, execution: Execution): string {
  const head = JSON.stringify({
    instanceId: instance.id,
    isReplaying: false,
    parentInstanceId: instance.parentId,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '36500.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  })
  return `{"history":[${execution.text}],"input":${instance.input},${head.slice(1)}`
}
