// The rules of claims, by themselves: one holder at a time, nobody's lapse loses a unit, and nobody goes before their turn.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  claimed,
  inOrder,
  inRanks,
  isFree,
  isHeldBy,
  isReportedBy,
  lookedAt,
  offered,
  offeredAnew,
  renewed,
  reported,
  spread,
} from '../../shared/encode/claims.ts'
import type { Holder, Offer, OfferedUnit } from '../../shared/encode/ports.ts'
import { target } from './stage.ts'

const leaseMs = 30_000
const unit: OfferedUnit = {
  ...target,
  jobId: 'job',
  unitId: 'job.1',
  plan: 'plan.json',
  kind: 'chunk',
  chunk: 1,
  sinceMs: 0,
  pixels: 100,
  rest: 1000,
}
const fresh = offered(unit, { waits: 'waits', nowMs: 0 })

const take = (offer: Offer, node: string, nowMs: number) => claimed(offer, { node, nowMs, leaseMs })

const step = fc.record({
  node: fc.constantFrom('a', 'b', 'c'),
  act: fc.constantFrom('claim', 'renew', 'done', 'fail', 'return', 'look'),
  afterMs: fc.integer({ min: 0, max: 40_000 }),
})

/** As nodes do it over the store: each acts on what it remembers of its own last claim, however old that is. */
function play(steps: ReadonlyArray<{ node: string; act: string; afterMs: number }>) {
  let offer = fresh
  let nowMs = 0
  const memory = new Map<string, Holder>()
  const numbers: number[] = []
  const seen: Offer[] = [offer]
  const effects: Array<{ by: Holder; act: string; nowMs: number; before: Offer }> = []
  for (const { node, act, afterMs } of steps) {
    nowMs += afterMs
    const mine = memory.get(node)
    if (act === 'claim') {
      const next = take(offer, node, nowMs)
      if (next) {
        memory.set(node, { node, number: next.claims })
        numbers.push(next.claims)
        offer = next
      }
    } else if (act === 'look') offer = lookedAt(offer, nowMs)
    else if (mine && isHeldBy(offer, mine, nowMs)) {
      effects.push({ by: mine, act, nowMs, before: offer })
      if (act === 'renew') offer = renewed(offer, mine, nowMs + leaseMs)
      else if (act === 'done') offer = reported(offer, { outcome: 'done' }, nowMs)
      else offer = reported(offer, { outcome: act === 'fail' ? 'failed' : 'returned' }, nowMs)
    }
    seen.push(offer)
  }
  return { offer, nowMs, numbers, seen, effects }
}

describe('whatever nodes do, in any order', () => {
  const runs = fc.array(step, { minLength: 10, maxLength: 60, size: 'max' })

  test('a claim is one node’s alone, and its number is never used again', () => {
    let claims = 0
    fc.assert(
      fc.property(runs, (steps) => {
        const { numbers, effects } = play(steps)
        claims += numbers.length
        expect(numbers).toEqual(numbers.map((_, n) => n + 1))
        for (const { by, before, nowMs } of effects) {
          expect(before.claim).toMatchObject(by)
          expect(nowMs).toBeLessThan(before.claim?.untilMs ?? 0)
        }
      }),
    )
    expect(claims).toBeGreaterThan(100)
  })

  test('a unit that is not over can be had within a lease and a pause, or is given up by the next look', () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const { offer, nowMs } = play(steps)
        const laterMs = nowMs + leaseMs + 60_000
        const looked = lookedAt(offer, laterMs)
        expect(looked.state === 'over' || isFree(looked, laterMs)).toBe(true)
      }),
    )
  })

  test('what is over stays as it is', () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const { seen } = play(steps)
        const at = seen.findIndex(({ state }) => state === 'over')
        if (at >= 0) for (const later of seen.slice(at)) expect(later).toEqual(seen[at])
      }),
    )
  })

  test('nothing is free and held at once, nor taken while another holds it', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 0, max: 90_000 }), (steps, afterMs) => {
        const { offer, nowMs } = play(steps)
        const at = nowMs + afterMs
        const held = offer.claim !== undefined && isHeldBy(offer, offer.claim, at)
        expect(held && isFree(offer, at)).toBe(false)
        expect(take(offer, 'z', at) !== undefined).toBe(isFree(offer, at))
      }),
    )
  })
})

test('a claim lapses at its end to the millisecond, and its holder then has no say', () => {
  const offer = take(fresh, 'a', 1000) as Offer
  const holder = { node: 'a', number: 1 }
  expect(isHeldBy(offer, holder, 30_999)).toBe(true)
  expect(take(offer, 'b', 30_999)).toBeUndefined()
  expect(isHeldBy(offer, holder, 31_000)).toBe(false)
  const next = take(offer, 'b', 31_000)
  expect(next).toMatchObject({ claims: 2, losses: 1, claim: { node: 'b', number: 2 } })
  // Also where the same node takes it again: the claim before is none.
  expect(isHeldBy(take(offer, 'a', 31_000) as Offer, holder, 31_001)).toBe(false)
})

test('the third failure ends a unit with its log; the ones before make it wait a little', () => {
  let offer = fresh
  let nowMs = 0
  for (let n = 1; n <= 3; n++) {
    expect(isFree(offer, nowMs)).toBe(true)
    offer = reported(take(offer, 'a', nowMs) as Offer, { outcome: 'failed', log: `try ${n}` }, nowMs)
    expect(offer).toMatchObject({ failures: n, state: n < 3 ? 'queued' : 'over', log: `try ${n}` })
    expect(isFree(offer, nowMs)).toBe(false)
    nowMs += 10_000
  }
  expect(offer.result).toMatchObject({ ok: false, code: 'encode-failed' })
  expect(isReportedBy(offer, { node: 'a', number: 3 })).toBe(true)
  expect(isReportedBy(offer, { node: 'a', number: 2 })).toBe(false)
  // Of a title that is tried again the unit is too, and no old claim is taken for a new one.
  expect(offeredAnew(offer, { waits: 'again', nowMs })).toMatchObject({
    state: 'queued',
    failures: 0,
    claims: 3,
    waits: 'again',
  })
})

test('a unit whose workers are lost eight times is given up, and not before', () => {
  let offer = fresh
  let nowMs = 0
  for (let n = 0; n < 8; n++) {
    offer = lookedAt(offer, nowMs)
    expect(offer.state).not.toBe('over')
    offer = take(offer, 'a', nowMs) as Offer
    nowMs += leaseMs
  }
  expect(take(offer, 'b', nowMs)).toBeUndefined()
  expect(lookedAt(offer, nowMs)).toMatchObject({
    state: 'over',
    losses: 8,
    result: { code: 'encode-failed' },
  })
})

test('what is given back is free at once, and counts as nobody’s failure', () => {
  const offer = reported(take(fresh, 'a', 0) as Offer, { outcome: 'returned' }, 5)
  expect(offer).toMatchObject({ state: 'queued', failures: 0, losses: 0 })
  expect(isFree(offer, 5)).toBe(true)
})

describe('who is next', () => {
  const of = (tenant: number, since: number, chunk: number): Offer => ({
    ...offered(
      {
        ...unit,
        tenantId: `ten_${String(tenant).repeat(20)}`,
        unitId: `job${tenant}-${since}.${chunk}`,
        sinceMs: since,
        chunk,
      },
      { waits: 'waits', nowMs: 0 },
    ),
  })
  const queue = fc.uniqueArray(
    fc.record({
      tenant: fc.integer({ min: 0, max: 3 }),
      since: fc.integer({ min: 0, max: 4 }),
      chunk: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 60, selector: ({ tenant, since, chunk }) => `${tenant} ${since} ${chunk}` },
  )

  test('all that is free and nothing else', () => {
    fc.assert(
      fc.property(queue, fc.array(fc.boolean(), { maxLength: 60 }), (units, taken) => {
        const open = units.map(({ tenant, since, chunk }, n) => {
          const offer = of(tenant, since, chunk)
          return taken[n] ? (take(offer, 'a', 0) as Offer) : offer
        })
        const free = open.filter((offer) => isFree(offer, 1)).map(({ id }) => id)
        expect(
          inOrder(open, 1)
            .map(({ id }) => id)
            .toSorted(),
        ).toEqual(free.toSorted())
      }),
    )
  })

  test('the units under way are shared out: no tenant has two more than one that waits', () => {
    fc.assert(
      fc.property(queue, fc.integer({ min: 1, max: 20 }), (units, workers) => {
        let open = units.map(({ tenant, since, chunk }) => of(tenant, since, chunk))
        for (let n = 0; n < workers; n++) {
          const next = inOrder(open, 0)[0]
          if (next) open = open.map((offer) => (offer === next ? (take(offer, `w${n}`, 0) as Offer) : offer))
        }
        const busy = (tenantId: string) =>
          open.filter((offer) => offer.tenantId === tenantId && offer.state === 'claimed').length
        const waiting = open.filter(({ state }) => state === 'queued').map(({ tenantId }) => tenantId)
        for (const tenantId of waiting)
          for (const other of open) expect(busy(other.tenantId)).toBeLessThanOrEqual(busy(tenantId) + 1)
      }),
    )
  })

  test('an opening goes before everything else', () => {
    const busy = take(of(2, 0, 1), 'a', 0) as Offer
    expect(inOrder([busy, of(1, 0, 1), of(2, 9, 0)], 0).map(({ unitId }) => unitId)).toEqual([
      'job2-9.0',
      'job1-0.1',
    ])
  })

  test('of one tenant the title that began first, and of it the earliest chunk', () => {
    const open = [of(1, 2, 1), of(1, 1, 7), of(1, 1, 3), of(1, 3, 1)]
    expect(inOrder(open, 0).map(({ unitId }) => unitId)).toEqual([
      'job1-1.3',
      'job1-1.7',
      'job1-2.1',
      'job1-3.1',
    ])
  })

  test('whoever begins elsewhere leaves out nothing, and lets no rank go before another', () => {
    fc.assert(
      fc.property(queue, fc.integer({ min: 0, max: 70 }), fc.string(), (units, many, node) => {
        const open = units.map(({ tenant, since, chunk }) => of(tenant, since, chunk))
        const ranks = inRanks(open, 0)
        const order = spread(ranks, { node, many })
        let from = 0
        for (const rank of ranks) {
          const part = order.slice(from, from + rank.length)
          expect(new Set(part)).toEqual(new Set(rank))
          // No further along than there are others.
          const crowd = Math.max(1, many)
          expect(part.slice(crowd)).toEqual(rank.slice(crowd))
          from += rank.length
        }
        if (many <= 1) expect(order).toEqual(inOrder(open, 0))
      }),
    )
  })

  /** All look at once, then each tries what it has in mind next; resolves to what each has after so many tries. */
  function rush(many: number, tries: number, others: (node: string, left: Offer[]) => Offer[]): Offer[] {
    const open = Array.from({ length: 100 }, (_, chunk) => of(1, 0, chunk + 1))
    const [first, ...left] = inOrder(open, 0)
    const nodes = Array.from({ length: many }, (_, n) => `encoder-z1-${n + 1}`)
    const plans = new Map(nodes.map((node) => [node, [first, ...others(node, left)]]))
    const taken = new Set<Offer>()
    for (let n = 0; n < tries; n++)
      for (const [node, plan] of plans) {
        const next = plan[n]
        if (!next || taken.has(next)) continue
        taken.add(next)
        plans.delete(node)
      }
    return [...taken]
  }

  test('of forty who wake at once most have a unit within eight tries, of the first there are; in one order eight had', () => {
    expect(rush(40, 8, (_, left) => left)).toHaveLength(8)
    const taken = rush(40, 8, (node, left) => spread([left], { node, many: 40 }))
    expect(taken.length).toBeGreaterThanOrEqual(32)
    expect(Math.max(...taken.map(({ chunk = 0 }) => chunk))).toBeLessThanOrEqual(41)
  })
})
