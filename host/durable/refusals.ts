// What the engine refuses at once and by name, because the real one hangs, loses count or behaves otherwise in Azure.

/** Azure's Durable Task Scheduler takes no payload over 1 MB. */
export const maxPayloadBytes = 1_048_576
/** The Durable extension takes no custom status over 16 KB of UTF-16. */
export const maxCustomStatusBytes = 16_384

/** Event names share their table with task numbers in durable-functions: event "0" would complete task 0. */
export const isIntegerLike = (name: string) => /^\d+$/.test(name)

export const isTooLarge = (text: string | undefined) =>
  text !== undefined && text.length * 3 > maxPayloadBytes && Buffer.byteLength(text) > maxPayloadBytes

const list = (names: Iterable<string>) => [...names].map((name) => `'${name}'`).join(', ')

export const refusals = {
  unknownOrchestrator: (name: string, known: Iterable<string>) =>
    `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: The following are the known orchestrator functions: ${list(known)}.`,
  unknownActivity: (name: string, known: Iterable<string>) =>
    `The function '${name}' doesn't exist, is disabled, or is not an activity function; in Azure this orchestration would stay Running for ever without a word. Additional info: The following are the known activity functions: ${list(known)}.`,
  unsupported: (what: string) =>
    `${what} is not supported by the local Durable engine. It has activities, sub-orchestrations, timers, external events, retries, Task.all, Task.any and continueAsNew.`,
  pendingAgain: (what: string) =>
    `A pending task (${what}) was given to Task.any or Task.all a second time: the engine in Azure would start it again and mix up the results. Yield the same Task.any or Task.all object, the task itself, or make a new task.`,
  finishedAgain: (what: string) =>
    `A task that was yielded before and has finished (${what}) was given to Task.any or Task.all: the engine in Azure would start it again, and Task.any ignores it. Leave out tasks that are isCompleted or isFaulted.`,
  allFinished: () =>
    'Every task given to Task.all or Task.any has finished already: in Azure that never ends. Check isCompleted and isFaulted first.',
  integerEvent: (name: string) =>
    `The external event name '${name}' looks like an integer: durable-functions would complete the task of that number with it. Choose a name with a letter in it.`,
  tooLarge: (what: string, sizeBytes: number) =>
    `${what} is ${sizeBytes} bytes as JSON; Durable payloads may hold ${maxPayloadBytes} at most. Put the data into Blob storage and pass its name.`,
  customStatus: (sizeBytes: number) =>
    `The custom status is ${sizeBytes} bytes as UTF-16 JSON; it may hold ${maxCustomStatusBytes} at most.`,
  retryTimeout: (name: string) =>
    `The retryTimeoutInMilliseconds of '${name}' has passed: in Azure the orchestration would now wait for ever, since durable-functions reports the failure only after one more timer. Bound the retries by maxNumberOfAttempts.`,
  interrupted: (name: string) =>
    `Activity function '${name}' failed: it was running when its process ended, and it has no retry policy, so nothing repeats it. Call it with a retry policy.`,
  badTimer: () => 'createTimer was given an invalid date.',
  childRunning: (id: string, status: string) =>
    `An Orchestration instance with the status ${status} already exists: the sub-orchestration id '${id}' is in use, and in Azure its parent would wait for ever.`,
  noInput: (name: string) =>
    `One or more errors occurred. (Exception while executing function: Functions.${name}) The request that started it had no body: send JSON, such as null.`,
} as const

interface Recorded {
  readonly id: number
  readonly kind: string
  readonly name: string
}

const kinds: Record<string, string> = {
  activity: 'an activity task',
  child: 'a sub-orchestration task',
  timer: 'a timer task',
}

/** The real engine's sentence where both are of one kind; two blanks before "Was" are its own. */
export function nondeterminism(recorded: Recorded, now: { kind: string; name: string } | undefined): string {
  const before = `A previous execution of this orchestration scheduled ${kinds[recorded.kind]} with sequence number ${recorded.id}${recorded.kind === 'timer' ? '' : ` named '${recorded.name}'`}`
  const after =
    now === undefined
      ? "but the current orchestration replay hasn't scheduled this task."
      : `but the current orchestration replay instead scheduled ${kinds[now.kind]}${now.kind === 'timer' ? '' : ` named '${now.name}'`} with this sequence number.`
  return `Non-Deterministic workflow detected: ${before}, ${after}  Was a change made to the orchestrator code after this instance had already started running?`
}
