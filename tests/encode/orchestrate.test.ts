// The orchestration by itself: what it calls, in which order, with what, and how every failure ends in cleaning.

import type { OrchestrationContext } from 'durable-functions'
import { expect, test } from 'vitest'
import { cleanAsset, encodeAsset } from '../../shared/encode/orchestrate.ts'
import type { Outcome } from '../../shared/encode/work.ts'
import { target } from './stage.ts'

interface Call {
  readonly name: string
  readonly input: Record<string, unknown>
}

/** Answers each activity by name; throws what is an Error, as a failed task does. */
function play(
  orchestrator: typeof encodeAsset,
  answers: Record<string, (input: Record<string, unknown>) => unknown>,
) {
  const calls: Call[] = []
  const df = {
    getInput: () => target,
    callActivityWithRetry: (
      name: string,
      retry: { maxNumberOfAttempts: number },
      input: Record<string, unknown>,
    ) => {
      expect(retry.maxNumberOfAttempts).toBeGreaterThan(1)
      calls.push({ name, input })
      return { name, input }
    },
    callSubOrchestratorWithRetry: (
      name: string,
      _retry: unknown,
      input: Record<string, unknown>,
      id: string,
    ) => {
      calls.push({ name: `${name} ${id}`, input })
      return { name, input }
    },
    Task: { all: (tasks: Call[]) => ({ all: tasks }) },
  }
  const settle = (task: Call): unknown => {
    const answer = (answers[task.name] ?? (() => ({ ok: true })))(task.input)
    if (answer instanceof Error) throw answer
    return answer
  }
  const steps = orchestrator({ df } as unknown as OrchestrationContext)
  let step = steps.next()
  while (!step.done) {
    const task = step.value as unknown as Call & { all?: Call[] }
    let result: unknown
    try {
      result = task.all ? task.all.map(settle) : settle(task)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(result)
  }
  return { outcome: step.value as Outcome, calls, names: calls.map(({ name }) => name) }
}

const plan = 'ten/ast/v1/plan-x.json'
const prepared = { ok: true, plan, chunks: 4, hasAudio: true, hasChecksum: true }

test('prepares, does all units, finishes; the first chunk and the sound come first', () => {
  const { outcome, calls, names } = play(encodeAsset, { 'encode-prepare': () => prepared })
  expect(outcome).toEqual({ ok: true })
  expect(names).toEqual([
    'encode-prepare',
    'encode-chunk',
    'encode-chunk',
    'encode-chunk',
    'encode-chunk',
    'encode-audio',
    'encode-poster',
    'encode-verify',
    'encode-finish',
  ])
  expect(calls.filter(({ name }) => name === 'encode-chunk').map(({ input }) => input['chunk'])).toEqual([
    0, 1, 2, 3,
  ])
  for (const { input } of calls) expect(input).toMatchObject(target)
  for (const { input } of calls) expect(JSON.stringify(input).length).toBeLessThan(400)
})

test('has no units for what is not there', () => {
  const { names } = play(encodeAsset, {
    'encode-prepare': () => ({ ...prepared, chunks: 1, hasAudio: false, hasChecksum: false }),
  })
  expect(names).toEqual(['encode-prepare', 'encode-chunk', 'encode-poster', 'encode-finish'])
})

const truncated = { ok: false, code: 'source-truncated', detail: 'cut' }
test.each([
  ['prepare', { 'encode-prepare': () => truncated }, truncated],
  [
    'a chunk',
    {
      'encode-prepare': () => prepared,
      'encode-chunk': (input: Record<string, unknown>) => (input['chunk'] === 2 ? truncated : { ok: true }),
    },
    truncated,
  ],
  ['finish', { 'encode-prepare': () => prepared, 'encode-finish': () => truncated }, truncated],
  [
    'a unit whose retries are used up',
    { 'encode-prepare': () => prepared, 'encode-audio': () => new Error('lost') },
    { ok: false, code: 'encode-failed' },
  ],
])('a failure of %s ends in cleaning, once', (_name, answers, expected) => {
  const { outcome, calls, names } = play(encodeAsset, answers as never)
  expect(outcome).toMatchObject(expected)
  expect(names.at(-1)).toBe('encode-fail')
  expect(names.filter((name) => name === 'encode-fail')).toHaveLength(1)
  expect(calls.at(-1)?.input).toMatchObject({ ...target, code: expected.code })
})

test('what failed outside of an encode is only cleaned', () => {
  const { outcome, calls } = play(cleanAsset, {})
  expect(outcome).toEqual({ ok: true })
  expect(calls).toEqual([{ name: 'encode-fail', input: target }])
})

const outdated = { ok: false, code: 'encode-outdated', detail: 'another ffmpeg' }
test('a plan of another ffmpeg is not the title’s fault: the next version begins, as an instance of its own', () => {
  const { outcome, calls, names } = play(encodeAsset, {
    'encode-prepare': () => prepared,
    'encode-chunk': (input) => (input['chunk'] === 0 ? truncated : outdated),
    'encode-asset': () => ({ ok: true }),
  })
  expect(outcome).toEqual({ ok: true })
  expect(names.slice(-2)).toEqual(['encode-renew', `encode-asset encode-${target.assetId}-v2`])
  expect(calls.at(-1)?.input).toEqual({ ...target, version: 2 })
  expect(names).not.toContain('encode-fail')
})
