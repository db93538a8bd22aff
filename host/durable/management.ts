// What a client may ask of instances: start, look, raise an event, terminate. An answer means that it is written down.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { putNew } from './commit.ts'
import { message, type Reply, readBody } from './exchange.ts'
import { codes, historyEvent } from './history.ts'
import type { Links } from './links.ts'
import { isIntegerLike, isTooLarge, maxPayloadBytes, refusals } from './refusals.ts'
import { statusBody } from './status.ts'
import { isActive, type Store } from './store.ts'

export interface ManagementRequest {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  readonly values: Readonly<Record<string, string>>
  readonly origin: string
  readonly self: string
}

export interface ManagementOptions {
  readonly store: Store
  readonly links: Links
  readonly defaultVersion: string
  readonly wake: (instanceId: string) => void
}

export type Management = ReturnType<typeof createManagement>

export function createManagement({ store, links, defaultVersion, wake }: ManagementOptions) {
  async function start({ request, query, values, origin }: ManagementRequest): Promise<Reply> {
    const name = values['name']!
    const id = values['id'] ?? randomUUID().replaceAll('-', '')
    const body = await readBody(request)
    const refusal = refuseId(id) ?? refuseBody(body === '' ? 'null' : body)
    if (refusal) return refusal
    const running = store.instance(id)
    if (running && isActive(running)) {
      return message(409, `An Orchestration instance with the status ${running.status} already exists.`)
    }
    const version = query.get('version') ?? defaultVersion
    store.transaction(() => {
      putNew(store, { id, name, version, input: body || 'null', nowMs: Date.now() })
      // The real host takes a start without a body and fails the instance afterwards.
      if (body === '') {
        const output = JSON.stringify(`Orchestrator function '${name}' failed: ${refusals.noInput(name)}`)
        store.putInstance({ ...store.instance(id)!, status: 'Failed', isFresh: 0, output })
      }
    })
    wake(id)
    const waited = await waitFor(id, query)
    if (waited) return waited
    const { rewindPostUri: _, ...management } = links.management(id, origin)
    const headers = { location: management['statusQueryGetUri']!, 'retry-after': '10' }
    return { status: 202, headers, body: management }
  }

  /** `timeout` and `pollingInterval`, in seconds: the output itself when it is there in time. */
  async function waitFor(id: string, query: URLSearchParams): Promise<Reply | undefined> {
    const untilMs = Date.now() + 1000 * (Number(query.get('timeout')) || 0)
    const intervalMs = 1000 * (Number(query.get('pollingInterval')) || 1)
    while (Date.now() < untilMs) {
      await sleep(Math.min(intervalMs, untilMs - Date.now()))
      const instance = store.isOpen() ? store.instance(id) : undefined
      if (!instance) return undefined
      if (instance.status === 'Completed') return { status: 200, body: JSON.parse(instance.output ?? 'null') }
      if (!isActive(instance)) return { status: 200, body: statusBody(instance, plain) }
    }
    return undefined
  }

  function status({ query, values, self }: ManagementRequest): Reply {
    const instance = store.instance(values['id']!)
    if (!instance) return { status: 404 }
    const isShown = (name: string) => query.get(name)?.toLowerCase() === 'true'
    const body = statusBody(instance, {
      input: query.get('showInput')?.toLowerCase() !== 'false',
      history: isShown('showHistory') ? store.history(instance.id).map(({ event }) => event) : undefined,
      historyOutput: isShown('showHistoryOutput'),
    })
    if (isActive(instance)) return { status: 202, headers: { location: self, 'retry-after': '5' }, body }
    const isError = instance.status === 'Failed' && isShown('returnInternalServerErrorOnFailure')
    return { status: isError ? 500 : 200, body }
  }

  async function raise({ request, values }: ManagementRequest): Promise<Reply> {
    const [id, name] = [values['id']!, values['event']!]
    const body = await readBody(request)
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return message(400, 'Only application/json request content is supported')
    }
    if (isIntegerLike(name)) return message(400, refusals.integerEvent(name))
    const refusal = refuseBody(body)
    if (refusal) return refusal
    return post(id, historyEvent(codes.eventRaised, Date.now(), { Name: name, Input: body! }))
  }

  async function terminate({ request, query, values }: ManagementRequest): Promise<Reply> {
    await readBody(request)
    const reason = query.get('reason') ?? ''
    return post(values['id']!, historyEvent(codes.executionTerminated, Date.now(), { Input: reason }))
  }

  function post(instanceId: string, event: Parameters<Store['post']>[1]): Reply {
    if (!store.post({ instanceId, executionId: null }, event)) {
      return { status: store.instance(instanceId) ? 410 : 404 }
    }
    wake(instanceId)
    return { status: 202 }
  }

  return { start, status, raise, terminate }
}

const plain = { input: true, history: undefined, historyOutput: false }

export function unsupportedOperation(name: string): Reply {
  const text = refusals.unsupported(name)
  // The client shows the body of a refused rewind as its error, and so wants a bare string.
  return name === 'rewind' ? { status: 501, body: text } : message(501, text)
}

function refuseId(id: string): Reply | undefined {
  const isValid = id.length <= 100 && !id.startsWith('@') && !/[\\/#?\p{Cc}]/u.test(id)
  return isValid
    ? undefined
    : message(
        400,
        'Instance ids have at most 100 characters, do not start with @, and hold no slash, #, ? or control.',
      )
}

function refuseBody(body: string | undefined): Reply | undefined {
  if (body === undefined || isTooLarge(body)) {
    return message(
      413,
      refusals.tooLarge('The body', maxPayloadBytes + 1).replace(/is \d+/, `is over ${maxPayloadBytes}`),
    )
  }
  try {
    JSON.parse(body)
    return undefined
  } catch (error) {
    return message(400, 'Invalid JSON content', {
      ExceptionMessage: (error as Error).message,
      ExceptionType: 'Newtonsoft.Json.JsonReaderException',
    })
  }
}
