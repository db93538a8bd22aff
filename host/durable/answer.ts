// Reads what an orchestrator's invocation gave: its state as JSON, also where the library throws with the state in the message.
import type { InvocationResult, TypedData } from '../contract.ts'
import { readActions } from './actions.ts'
import type { Answer } from './decide.ts'

const label = '\n\n$OutOfProcData$:'

interface State {
  isDone: boolean
  actions: unknown
  output?: unknown
  error?: string
  customStatus?: unknown
}

/** The answer, or the text of an error that the library did not make itself. */
export function readAnswer(result: InvocationResult): Answer | string {
  if (result.ok) {
    const state = JSON.parse(result.returnValue?.json ?? result.returnValue?.string ?? 'null') as State | null
    return state ? answerOf(state, result.raw) : 'The orchestrator function returned nothing.'
  }
  const text = errorText(result.error)
  const place = text.indexOf(label)
  if (place < 0) return text
  return answerOf(JSON.parse(text.slice(place + label.length)) as State, undefined)
}

function answerOf(state: State, raw: unknown): Answer {
  const { isDone, error, customStatus } = state
  return {
    isDone,
    error,
    raw,
    actions: readActions(state.actions),
    output: JSON.stringify(state.output ?? null),
    customStatus: customStatus === undefined ? undefined : JSON.stringify(customStatus),
  }
}

export const errorText = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** The JSON text that an activity's value becomes in the history. */
export function resultText(value: TypedData | undefined): string {
  if (value?.string !== undefined) return JSON.stringify(value.string)
  if (value?.json !== undefined) return value.json
  if (value?.bytes !== undefined) return JSON.stringify(Buffer.from(value.bytes).toString('base64'))
  const number = value?.int ?? value?.double
  return number === undefined ? 'null' : String(number)
}
