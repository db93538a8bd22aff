// How documents of one kind are kept in a Cosmos container: every access within one partition, every update by ETag.
import type {
  Container,
  ItemDefinition,
  JSONObject,
  JSONValue,
  OperationInput,
  SqlQuerySpec,
} from '@azure/cosmos'
import type { Change } from '../assets/ports.ts'
import { fromBase64url, toBase64url } from '../core/base64url.ts'
import type { Page, PageQuery } from '../core/page.ts'
import { Problem } from '../core/problem.ts'
import { jittered, type Pace, statusOf } from './failure.ts'

/** A zod schema of the document, its own version included. */
export interface Schema<T> {
  parse(raw: unknown): T
}

export interface Kind<T> {
  readonly container: () => Promise<Container>
  /** The property that is the partition key. */
  readonly partition: string
  readonly type: string
  readonly schema: Schema<T>
  /** Documents of a former version that nobody needs any more count as gone. */
  readonly isPast?: (raw: ItemDefinition) => boolean
  /** Told the `date` of every point read, and when it was asked for. */
  readonly observe?: (askedAtMs: number, date: unknown) => void
}

/** All of a partition as it is now. */
export interface Snapshot<T> {
  readonly items: readonly T[]
  /** How a change of one of them, or a new one, is written in a transaction with others, as long as none has changed. */
  operation(next: T): OperationInput
}

/** What must be written together with a change: all of it, or none. */
export type Beside<T> = (before: T | undefined, after: T | undefined) => Promise<OperationInput[]>

type Decided<T> = T | 'unchanged' | 'removed'

export interface Documents<T> {
  /** False when its partition has one of that id. */
  create(document: T): Promise<boolean>
  /** Creates or replaces, whatever is there. */
  put(document: T): Promise<void>
  get(partition: string, id: string): Promise<T | undefined>
  update(partition: string, id: string, change: Change<T>, beside?: Beside<T>): Promise<T>
  /** As `update`, but where there is none `change` is handed undefined, and may make the first one. */
  change(
    partition: string,
    id: string,
    change: (current: T | undefined) => Decided<T> | Promise<Decided<T>>,
    beside?: Beside<T>,
  ): Promise<T | undefined>
  snapshot(partition: string): Promise<Snapshot<T>>
  /** A change as it would be written now, for a transaction with others of its partition. */
  operation(
    partition: string,
    id: string,
    change: (current: T | undefined) => Decided<T>,
  ): Promise<OperationInput | undefined>
  remove(partition: string, id: string): Promise<void>
  /** One page of a partition, the newest by `newestBy` first. */
  page(partition: string, page: PageRequest): Promise<Page<T>>
  all(partition: string): Promise<T[]>
  removeAll(partition: string): Promise<void>
  /** Across partitions: a plain filter, in no order, at most `limit`; those that can not be read are left out. */
  find(filter: string, parameters: Readonly<Record<string, string | number>>, limit: number): Promise<T[]>
  /** Of one partition: what was written at or after that second, by the clock of Cosmos, and the latest such second. */
  since(partition: string, sinceSeconds: number): Promise<{ items: T[]; latestSeconds: number }>
}

export interface PageRequest extends PageQuery {
  readonly newestBy: string
  /** Only those whose properties have these values. */
  readonly where?: Readonly<Record<string, string>>
}

const pageMostItems = 1000
// A hundred writers of one document all get through; a thousand are told to come back.
const updateTries = 14
const firstPauseMs = 8
const longestPauseMs = 1000
const cursorMaxLength = 4096
const deletesAtOnce = 8
// Of "not found": the container itself is not there, a fault of the deployment.
const ownerNotFound = 1003
// The SDK writes an id into the address as it is: one from a request, such as `..`, must not lead elsewhere.
const idForm = /^\w[\w.-]{0,254}$/

export function createDocuments<T extends { id: string }>(kind: Kind<T>, pace: Pace): Documents<T> {
  const { container, type } = kind
  // The partition is named twice, in the request and in the query: neither alone may decide who sees what.
  const within = `c.type = @type AND c.${kind.partition} = @partition`

  function parse(raw: ItemDefinition): T {
    try {
      return kind.schema.parse(raw)
    } catch (cause) {
      const told = `the ${type} '${raw.id}' (schema ${JSON.stringify(raw['schema'])})`
      throw new Error(`${told} is not a document that this version of the application knows`, { cause })
    }
  }

  /** One that a newer version of the application wrote is left to that one. */
  const known = (raw: ItemDefinition): T[] => {
    try {
      return [parse(raw)]
    } catch {
      return []
    }
  }

  async function read(partition: string, id: string): Promise<ItemDefinition | undefined> {
    if (!idForm.test(id)) return undefined
    const item = (await container()).item(id, partition)
    const askedAtMs = pace.clock.now()
    const response = await item.read<ItemDefinition>()
    kind.observe?.(askedAtMs, response.headers['date'])
    if (response.substatus === ownerNotFound) throw new Error(`the container for ${type} is missing`)
    // Documents of several kinds share a partition: one of another kind counts as absent.
    const raw = response.resource
    return raw?.['type'] === type && !kind.isPast?.(raw) ? raw : undefined
  }

  async function remove(partition: string, id: string): Promise<void> {
    try {
      await (await container()).item(id, partition).delete()
    } catch (error) {
      if (statusOf(error) !== 404) throw error
    }
  }

  async function query(spec: SqlQuerySpec, options: { partition?: string; cursor?: string; limit: number }) {
    const iterator = (await container()).items.query<ItemDefinition>(spec, {
      maxItemCount: options.limit,
      continuationTokenLimitInKB: 1,
      ...(options.partition === undefined ? {} : { partitionKey: options.partition }),
      ...(options.cursor === undefined ? {} : { continuationToken: options.cursor }),
    })
    const { resources, continuationToken, hasMoreResults } = await iterator.fetchNext()
    return { found: resources ?? [], cursor: continuationToken || undefined, more: hasMoreResults, iterator }
  }

  async function since(partition: string, sinceSeconds: number) {
    const spec = selection(`${within} AND c._ts >= @sinceSeconds`, { type, partition, sinceSeconds })
    const { resources } = await (await container()).items
      .query<ItemDefinition>(spec, { partitionKey: partition })
      .fetchAll()
    const latestSeconds = Math.max(sinceSeconds, ...resources.map((raw) => Number(raw['_ts'])))
    return { items: resources.flatMap(known), latestSeconds }
  }

  async function all(partition: string): Promise<ItemDefinition[]> {
    const spec = selection(within, { type, partition })
    const { resources } = await (await container()).items
      .query<ItemDefinition>(spec, { partitionKey: partition })
      .fetchAll()
    return resources.filter((raw) => !kind.isPast?.(raw))
  }

  async function create(document: T): Promise<boolean> {
    try {
      await (await container()).items.create(document)
      return true
    } catch (error) {
      if (statusOf(error) === 409) return false
      throw error
    }
  }

  /** False when somebody else was faster, or it is gone meanwhile. */
  async function replace(partition: string, raw: ItemDefinition, next: T): Promise<boolean> {
    const accessCondition = { type: 'IfMatch', condition: raw['_etag'] as string }
    try {
      const item = (await container()).item(raw.id as string, partition)
      await item.replace(keepUnknown(raw, parse(raw), next), { accessCondition })
      return true
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 412) return false
      throw error
    }
  }

  const operationOf = (raw: ItemDefinition | undefined, next: T | 'removed'): OperationInput => {
    const held = { id: raw?.id as string, ifMatch: raw?.['_etag'] as string }
    if (next === 'removed') return { operationType: 'Delete', ...held }
    if (!raw) return { operationType: 'Create', resourceBody: jsonOf(next) }
    return { operationType: 'Replace', ...held, resourceBody: jsonOf(keepUnknown(raw, parse(raw), next)) }
  }

  /** False when somebody else was faster with any of them. */
  async function together(partition: string, operations: OperationInput[]): Promise<boolean> {
    const { items } = await container()
    const named = operations.map((operation) => ({ ...operation, partitionKey: partition }))
    const { result } = await items.batch(named, partition).catch((error: Error) => {
      // The SDK hides what went wrong in a batch behind an error of its own.
      throw error.cause ?? error
    })
    const failed = result
      ?.map(({ statusCode }) => statusCode)
      .find((status) => status >= 400 && status !== 424)
    if (failed === undefined) return true
    if ([404, 409, 412].includes(failed)) return false
    throw Object.assign(new Error(`a batch with ${type} was refused with ${failed}`), { code: failed })
  }

  async function write(
    partition: string,
    { raw, next, beside }: { raw: ItemDefinition | undefined; next: T | 'removed'; beside: OperationInput[] },
  ): Promise<boolean> {
    if (beside.length > 0 || next === 'removed')
      return together(partition, [...beside, operationOf(raw, next)])
    return raw ? replace(partition, raw, next) : create(next)
  }

  async function change(
    partition: string,
    id: string,
    decide: (current: T | undefined) => Decided<T> | Promise<Decided<T>>,
    beside: Beside<T> = async () => [],
  ): Promise<T | undefined> {
    for (let attempt = 0; attempt < updateTries; attempt++) {
      const raw = await read(partition, id)
      const current = raw && parse(raw)
      const next = await decide(current)
      if (next === 'unchanged' || (next === 'removed' && !raw)) return current
      const after = next === 'removed' ? undefined : next
      if (await write(partition, { raw, next, beside: await beside(current, after) })) return after
      await pace.clock.wait(jittered(pace.random, Math.min(firstPauseMs * 2 ** attempt, longestPauseMs)))
    }
    throw new Problem('conflict')
  }

  return {
    create,
    change,
    since,

    async operation(partition, id, decide) {
      const raw = await read(partition, id)
      const next = decide(raw && parse(raw))
      return next === 'unchanged' || (next === 'removed' && !raw) ? undefined : operationOf(raw, next)
    },

    async snapshot(partition) {
      const raws = await all(partition)
      const items = raws.map(parse)
      const rawOf = new Map(raws.map((raw) => [raw.id, raw]))
      return { items, operation: (next) => operationOf(rawOf.get(next.id), next) }
    },

    async put(document) {
      await (await container()).items.upsert(document)
    },

    async get(partition, id) {
      const raw = await read(partition, id)
      return raw && parse(raw)
    },

    async update(partition, id, decide, beside) {
      const present = (current: T | undefined) => {
        if (!current) throw new Problem('not-found')
        return decide(current)
      }
      return (await change(partition, id, present, beside)) as T
    },

    remove,

    async page(partition, { cursor, limit, newestBy, where = {} }) {
      const filters = Object.keys(where).map((name) => `c.${name} = @${name}`)
      const spec = selection([within, ...filters].join(' AND '), { type, partition, ...where }, newestBy)
      const from = cursor === undefined ? {} : { cursor: openCursor(cursor) }
      try {
        const { found, cursor: next } = await query(spec, { partition, limit, ...from })
        return { items: found.map(parse), ...(next ? { cursor: toBase64url(Buffer.from(next)) } : {}) }
      } catch (error) {
        // What we sent is ours but for the cursor.
        if (cursor !== undefined && statusOf(error) === 400) throw wrongCursor()
        throw error
      }
    },

    all: async (partition) => (await all(partition)).map(parse),

    async removeAll(partition) {
      const ids = (await all(partition)).map(({ id }) => id as string)
      while (ids.length > 0)
        await Promise.all(ids.splice(0, deletesAtOnce).map((id) => remove(partition, id)))
    },

    async find(filter, parameters, limit) {
      const spec = selection(`c.type = @type AND ${filter}`, { type, ...parameters })
      const { found, more, iterator } = await query(spec, { limit: Math.min(limit, pageMostItems) })
      for (let ended = !more; !ended && found.length < limit; ended = !iterator.hasMoreResults())
        found.push(...((await iterator.fetchNext()).resources ?? []))
      return found.slice(0, limit).flatMap(known)
    },
  }
}

function selection(where: string, values: Record<string, JSONValue>, newestBy?: string): SqlQuerySpec {
  const order = newestBy ? ` ORDER BY c.${newestBy} DESC` : ''
  return {
    query: `SELECT * FROM c WHERE ${where}${order}`,
    parameters: Object.entries(values).map(([name, value]) => ({ name: `@${name}`, value })),
  }
}

/** A newer version of the application may have added fields: this one hands them on as they are. */
function keepUnknown<T extends object>(raw: ItemDefinition, known: T, next: T): ItemDefinition {
  const unknown = Object.entries(raw).filter(([name]) => !(name in known) && !name.startsWith('_'))
  return { ...Object.fromEntries(unknown), ...next }
}

const jsonOf = (document: object): JSONObject => document as JSONObject

const wrongCursor = () =>
  new Problem('invalid-request', {
    errors: [{ pointer: '/cursor', message: 'is not one that this list gave out' }],
  })

function openCursor(cursor: string): string {
  const bytes = cursor.length <= cursorMaxLength ? fromBase64url(cursor) : undefined
  const token = Buffer.from(bytes ?? []).toString()
  // It travels in a header: anything but printable ASCII was never one of ours.
  if (!/^[\x20-\x7e]+$/.test(token)) throw wrongCursor()
  return token
}
