// The orchestrations of keys by themselves: what they call and how many at once, what they carry on, and what ends them.
import { describe, expect, test } from 'vitest'
import { rekeyAsset, rewrapKeys } from '../../shared/protect/orchestrate.ts'
import { type Call, drive, movableClock } from './rekey-stage.ts'

const target = {
  ...{ tenantId: `ten_${'0'.repeat(20)}`, assetId: `ast_${'1'.repeat(20)}` },
  ...{ version: 1, generation: 1 },
}

function playRekey(answers: Record<string, Call>, first: unknown = target) {
  const clock = movableClock()
  const calls: Array<{ name: string; input: Record<string, unknown> }> = []
  let running = 0
  let most = 0
  const until = new Date(clock.now() + 168 * 3_600_000).toISOString()
  const usual: Record<string, Call> = {
    'protect-rekey-begin': async () => ({ ok: true, batches: 5 }),
    'protect-rekey-switch': async () => ({ ok: true, until }),
  }
  const call: Call = async (name, input) => {
    calls.push({ name, input: input as Record<string, unknown> })
    most = Math.max(most, ++running)
    try {
      await new Promise((resolve) => setImmediate(resolve))
      return await (answers[name] ?? usual[name] ?? (async () => ({ ok: true })))(name, input)
    } finally {
      running--
    }
  }
  const played = drive(rekeyAsset as never, first, clock, call)
  return played.then((result) => ({
    ...result,
    calls,
    names: calls.map(({ name }) => name),
    most,
    until,
    clock,
  }))
}

describe('a change of keys', () => {
  test('makes keys, seals batches two at a time, switches, waits, and takes away', async () => {
    const { output, calls, names, most, until, clock, executions } = await playRekey({})
    expect(output).toEqual({ ok: true })
    expect(names).toEqual([
      'protect-rekey-begin',
      ...Array(5).fill('protect-rekey-batch'),
      'protect-rekey-switch',
      'protect-rekey-retire',
    ])
    const batches = calls.filter(({ name }) => name === 'protect-rekey-batch')
    expect(batches.map(({ input }) => input['batch'])).toEqual([0, 1, 2, 3, 4])
    for (const { input } of calls) {
      expect(input).toMatchObject(target)
      expect(JSON.stringify(input).length).toBeLessThan(200)
    }
    expect(most).toBe(2)
    // The wait is an execution of its own, without the history of the batches.
    expect(executions).toEqual([target, { ...target, done: 5, until }])
    expect(clock.now()).toBeGreaterThanOrEqual(Date.parse(until))
  })

  test('a long film begins its history anew every hundred batches and repeats none', async () => {
    const { executions, calls } = await playRekey({
      'protect-rekey-begin': async () => ({ ok: true, batches: 250 }),
    })
    const done = executions.map((input) => (input as { done?: number }).done)
    expect(done).toEqual([undefined, 100, 200, 250])
    const batches = calls.filter(({ name }) => name === 'protect-rekey-batch')
    expect(batches.map(({ input }) => input['batch'])).toEqual(Array.from({ length: 250 }, (_, n) => n))
  })

  test.each(['begin', 'batch', 'switch', 'retire'])(
    'a failure of %s that no repetition mends ends it',
    async (step) => {
      const failure = { ok: false, code: 'not-found', detail: '' }
      const { output, names } = await playRekey({ [`protect-rekey-${step}`]: async () => failure })
      expect(output).toEqual(failure)
      expect(names.at(-1)).toBe(`protect-rekey-${step}`)
    },
  )

  test('what is away for longer than its retries is asked again after a quarter of an hour, from where it was', async () => {
    let left = 3
    const startedMs = Date.now()
    const { output, executions, calls, clock, until } = await playRekey({
      'protect-rekey-batch': async (_, input) => {
        if ((input as { batch: number }).batch === 3 && left-- > 0) throw new Error('away')
        return { ok: true }
      },
    })
    expect(output).toEqual({ ok: true })
    expect(executions.slice(1, 4)).toEqual(Array(3).fill({ ...target, done: 2 }))
    const batches = calls
      .filter(({ name }) => name === 'protect-rekey-batch')
      .map(({ input }) => input['batch'])
    expect(batches).toEqual([0, 1, 2, 3, 2, 3, 2, 3, 2, 3, 4])
    expect(left).toBe(-1)
    expect(clock.now()).toBeGreaterThanOrEqual(Math.max(startedMs + 45 * 60_000, Date.parse(until)))
  })
})

describe('a new KEK', () => {
  const play = (answers: Array<{ found: number; lost: number }>) => {
    let n = 0
    const call: Call = async () => answers[n++] ?? { found: 0, lost: 0 }
    const played = drive(rewrapKeys as never, {}, movableClock(), call)
    return played.then((result) => ({ ...result, calls: n }))
  }

  test('is taken up batch by batch until nothing is found', async () => {
    expect(
      await play([
        { found: 1000, lost: 0 },
        { found: 7, lost: 0 },
      ]),
    ).toMatchObject({
      output: { ok: true, lost: 0 },
      calls: 3,
    })
  })

  test('what nothing opens any more is told, and does not keep it running', async () => {
    const { output, calls } = await play([
      { found: 9, lost: 2 },
      { found: 2, lost: 2 },
    ])
    expect(output).toEqual({ ok: false, lost: 2 })
    expect(calls).toBe(2)
  })

  test('a large store begins its history anew', async () => {
    const { output, calls, executions } = await play(Array(45).fill({ found: 1000, lost: 0 }))
    expect(output).toEqual({ ok: true, lost: 0 })
    expect([calls, executions.length]).toEqual([46, 3])
  })
})
