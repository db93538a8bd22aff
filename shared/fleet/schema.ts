// What a worker tells of a unit of work.
import { z } from 'zod'
import { type ProblemCode, problems } from '../core/problem.ts'

const code = z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]])

export const UnitReport = z.strictObject({
  claim: z.number().int().min(1).describe('Which claim of this unit it was, as its document says.'),
  outcome: z
    .enum(['done', 'failed', 'returned'])
    .describe('`failed` is tried again by others; `returned` was not begun or not ended.'),
  result: z
    .discriminatedUnion('ok', [
      z.strictObject({ ok: z.literal(true) }),
      z.strictObject({ ok: z.literal(false), code, detail: z.string().max(1000) }),
    ])
    .exactOptional()
    .describe('Of `done`: what the encode of its title is told.'),
  log: z.string().max(4000).exactOptional(),
})
