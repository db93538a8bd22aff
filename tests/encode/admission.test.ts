// Whose turn it is: never more of a tenant's titles at once than allowed, in the order in which they came, whoever is lost.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AssetId } from '../../shared/core/ids.ts'
import { afterAsk } from '../../shared/encode/admission.ts'
import { createEncode } from '../../shared/encode/index.ts'
import type { Line } from '../../shared/encode/ports.ts'
import type { Outcome, Prepared } from '../../shared/encode/work.ts'
import { beeps, draw, greyFrames, lavfi, plainH264 } from './film.ts'
import { setStage, target, tenantId } from './stage.ts'

const idOf = (n: number): AssetId => `ast_${String(n).padStart(20, '0')}`

test('titles begin in the order in which they first asked, however often and in whatever order they ask again', () => {
  const asks = fc.array(fc.tuple(fc.nat(19), fc.boolean()), { minLength: 1, maxLength: 400 })
  fc.assert(
    fc.property(asks, fc.integer({ min: 1, max: 5 }), (list, places) => {
      let line: Line | undefined
      const over = new Set<AssetId>()
      const firstAsked: AssetId[] = []
      const begun: AssetId[] = []
      for (const [number, ends] of list) {
        const assetId = idOf(number)
        if (over.has(assetId)) continue
        if (!firstAsked.includes(assetId)) firstAsked.push(assetId)
        const next = afterAsk(line, { assetId, over, places })
        line = next.line
        expect(line.running.length).toBeLessThanOrEqual(places)
        expect(new Set([...line.running, ...line.waiting]).size).toBe(
          line.running.length + line.waiting.length,
        )
        if (next.before > 0) {
          expect(line.waiting).toContain(assetId)
          continue
        }
        expect(line.running).toContain(assetId)
        if (!begun.includes(assetId)) {
          begun.push(assetId)
          // Nobody who came before it, and still wants to, is left without a place for it.
          const earlier = firstAsked
            .slice(0, firstAsked.indexOf(assetId))
            .filter((id) => !begun.includes(id) && !over.has(id))
          expect(earlier.length).toBeLessThanOrEqual(places - line.running.length)
        }
        if (ends) over.add(assetId)
      }
    }),
  )
})

test('a title that is gone, running or waiting, holds nobody up', () => {
  const line: Line = { running: [idOf(1), idOf(2)], waiting: [idOf(3), idOf(4), idOf(5)] }
  const over = new Set([idOf(1), idOf(3)])
  expect(afterAsk(line, { assetId: idOf(5), over, places: 2 })).toEqual({
    line: { running: [idOf(2)], waiting: [idOf(4), idOf(5)] },
    before: 2,
  })
  expect(afterAsk(line, { assetId: idOf(4), over, places: 2 })).toEqual({
    line: { running: [idOf(2), idOf(4)], waiting: [idOf(5)] },
    before: 0,
  })
})

test('a line that is full takes nobody more, and forgets nobody', () => {
  let line: Line | undefined
  for (let n = 0; n < 1500; n++) line = afterAsk(line, { assetId: idOf(n), over: new Set(), places: 2 }).line
  expect(line?.waiting).toHaveLength(1000)
  expect(line?.waiting[0]).toBe(idOf(2))
  const next = afterAsk(line, { assetId: idOf(1400), over: new Set([idOf(0)]), places: 2 })
  expect(next.before).toBeGreaterThan(900)
  expect(afterAsk(next.line, { assetId: idOf(2), over: new Set([idOf(0)]), places: 2 }).before).toBe(0)
})

const small = draw([...lavfi(greyFrames('25', 9), beeps(9)), ...plainH264])

test('a title is told to wait while others of its tenant are encoded; one that is over makes room', async () => {
  const stage = setStage(small)
  const others = [idOf(1), idOf(2), idOf(3), idOf(4)]
  await stage.parts.lines.change(tenantId, () => ({ running: others, waiting: [] }))
  const encoding = new Set(others)
  const { get } = stage.parts.assets
  Object.assign(stage.parts.assets, {
    get: async (tenant: typeof tenantId, id: AssetId) =>
      id === target.assetId || encoding.has(id) ? get(tenant, id) : undefined,
  })
  const encode = createEncode(stage.parts)
  expect(await encode.admit(target)).toEqual({ ok: true, waitSeconds: 2 })
  expect(stage.waiting.size).toBe(0)
  encoding.delete(idOf(3))
  expect(await encode.admit(target)).toEqual({ ok: true, waitSeconds: 0 })
  expect(await encode.admit(target)).toEqual({ ok: true, waitSeconds: 0 })
  expect((await stage.parts.lines.get(tenantId))?.running).toEqual([
    idOf(1),
    idOf(2),
    idOf(4),
    target.assetId,
  ])
})

test('while a title waits for its opening, what nobody waits for steps back; but not for ever', async () => {
  const stage = setStage(small, { chunkSegments: 1 })
  const encode = createEncode(stage.parts)
  expect(await encode.admit(target)).toEqual({ ok: true, waitSeconds: 0 })
  const prepared = (await encode.prepare(target)) as Outcome<Prepared>
  const planned = { ...target, plan: prepared.ok ? prepared.plan : '' }
  expect(await encode.chunk({ ...planned, chunk: 1 })).toEqual({ ok: true, waitSeconds: 1 })
  expect(stage.units.size).toBe(0)
  expect(await encode.chunk({ ...planned, chunk: 1, passed: 10 })).toEqual({ ok: true })
  expect(await encode.chunk({ ...planned, chunk: 0 })).toEqual({ ok: true })
  expect(stage.waiting.size).toBe(0)
  expect(await encode.chunk({ ...planned, chunk: 2 })).toEqual({ ok: true })
})
