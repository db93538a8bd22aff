// Long-running operations: begun with 202, then asked after at a URL of their own until they have succeeded or failed.
import type { Answer } from '../refusal.ts'
import { notFound } from './answer.ts'

export interface Operation {
  readonly id: string
  readonly vm: string
  readonly startedAtMs: number
  readonly endedAtMs?: number
  readonly failure?: { readonly code: string; readonly message: string }
}

const kept = 200
/** What a client is told to wait before it asks again. */
const retryAfter = { 'retry-after': '1' }

const time = (ms: number): string => new Date(ms).toISOString()

/** The newest are enough to know. */
export const keepNewest = (operations: readonly Operation[]): Operation[] => operations.slice(-kept)

export const find = (operations: readonly Operation[], id: string): Operation => {
  const operation = operations.find((one) => one.id === id)
  if (!operation) throw notFound('NotFound', 'operation')
  return operation
}

/** `base` is the address of the operations; both headers as Compute sends them. */
export const begun = ({ id }: Operation, base: string, version: string): Answer => ({
  status: 202,
  headers: {
    'azure-asyncoperation': `${base}/${id}?api-version=${version}`,
    location: `${base}/${id}?monitor=true&api-version=${version}`,
    ...retryAfter,
  },
})

export const statusOf = ({ id, startedAtMs, endedAtMs, failure }: Operation): Answer => {
  const common = { name: id, startTime: time(startedAtMs) }
  if (endedAtMs === undefined)
    return { status: 200, body: { ...common, status: 'InProgress' }, headers: retryAfter }
  const ended = { ...common, endTime: time(endedAtMs) }
  return failure
    ? { status: 200, body: { ...ended, status: 'Failed', error: failure } }
    : { status: 200, body: { ...ended, status: 'Succeeded' } }
}

/** What `Location` leads to: 202 until it is over, then the answer that the first request would have had. */
export const monitorOf = (operation: Operation, self: string): Answer => {
  if (operation.endedAtMs === undefined) return { status: 202, headers: { location: self, ...retryAfter } }
  return operation.failure ? { status: 409, body: { error: operation.failure } } : { status: 200 }
}
