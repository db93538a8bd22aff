// Decides a transactional batch: all of its operations in one partition, or none.
import { type Answer, isRefusal } from '../refusal.ts'
import { badRequest, notServed } from './answer.ts'
import type { Container } from './containers.ts'
import type { Items } from './items.ts'
import { type ItemRequest, type OperationName, operations } from './operations.ts'

interface BatchOperation {
  operationType: string
  id?: string
  resourceBody?: Record<string, unknown>
  ifMatch?: string
  ifNoneMatch?: string
}

const MAX_OPERATIONS = 100

const requestOf = (container: Container, partition: string, step: BatchOperation): ItemRequest => ({
  container,
  partition,
  ...(step.id === undefined ? {} : { id: step.id }),
  ...(step.resourceBody === undefined ? {} : { body: step.resourceBody }),
  ifMatch: step.ifMatch,
  ifNoneMatch: step.ifNoneMatch,
})

const resultOf = ({ status, body, headers }: Answer) => ({
  statusCode: status,
  requestCharge: 1,
  ...(headers?.['etag'] ? { eTag: headers['etag'] } : {}),
  ...(status < 300 && body ? { resourceBody: body } : {}),
})

const checkSteps = (steps: unknown): BatchOperation[] => {
  if (!Array.isArray(steps) || steps.length === 0) throw badRequest('A batch is an array of operations.')
  if (steps.length > MAX_OPERATIONS) throw badRequest(`A batch has at most ${MAX_OPERATIONS} operations.`)
  for (const { operationType } of steps as BatchOperation[]) {
    if (!Object.hasOwn(operations, operationType)) throw notServed(`${operationType} in a batch`)
  }
  return steps as BatchOperation[]
}

/** When one fails the answer is 207: that one with its own status, the others with 424. */
export const runBatch = (
  items: Items,
  container: Container,
  batch: { partition: string; steps: unknown },
): Answer => {
  const steps = checkSteps(batch.steps)
  let failed: { at: number; answer: Answer } | undefined
  try {
    const results = items.together(() =>
      steps.map((step, at) => {
        try {
          const operation = operations[step.operationType as OperationName]
          return resultOf(operation(items, requestOf(container, batch.partition, step)))
        } catch (error) {
          if (isRefusal(error)) failed = { at, answer: error.answer }
          throw error
        }
      }),
    )
    return { status: 200, body: results }
  } catch (error) {
    if (!failed) throw error
    const { at, answer } = failed
    const body = steps.map((_, n) => (n === at ? resultOf(answer) : { statusCode: 424, requestCharge: 0 }))
    return { status: 207, body }
  }
}
