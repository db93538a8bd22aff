// Decides what each operation on one item answers: its status, its conditions, its limits.
import type { Answer } from '../refusal.ts'
import { badRequest, conflict, notFound, preconditionFailed, tooLarge } from './answer.ts'
import type { Container } from './containers.ts'
import type { Item, Items, Place } from './items.ts'
import { partitionOf } from './partition-key.ts'

export interface ItemRequest {
  container: Container
  /** Partition that the request names. */
  partition: string
  /** Of the item addressed; a create and an upsert take it from the body. */
  id?: string
  body?: Record<string, unknown>
  ifMatch?: string | undefined
  ifNoneMatch?: string | undefined
}

export type OperationName = 'Create' | 'Upsert' | 'Read' | 'Replace' | 'Delete'

const ITEM_MAX_BYTES = 2 * 1024 * 1024
const FORBIDDEN_IN_ID = /[/\\#?]/

const checkedBody = ({
  container,
  partition,
  body,
}: ItemRequest): Record<string, unknown> & { id: string } => {
  if (!body || typeof body !== 'object' || Array.isArray(body)) throw badRequest('An item is a JSON object.')
  const id = body['id']
  if (typeof id !== 'string' || id === '') throw badRequest('An item needs an id, a string.')
  if (FORBIDDEN_IN_ID.test(id) || Buffer.byteLength(id) > 1023)
    throw badRequest('This id has forbidden characters.')
  if (Buffer.byteLength(JSON.stringify(body)) > ITEM_MAX_BYTES) throw tooLarge('An item is at most 2 MB.')
  const { ttl } = body
  if (ttl !== undefined && ttl !== null && !(Number.isInteger(ttl) && (ttl === -1 || (ttl as number) > 0))) {
    throw badRequest('ttl must be -1 or a positive number of seconds.')
  }
  if (partitionOf(body, container.partitionKey) !== partition) {
    throw badRequest('The partition key in the item is not the one that the request names.')
  }
  return { ...body, id }
}

const addressed = ({ container, partition, id }: ItemRequest): Place => ({
  container,
  partition,
  id: id ?? '',
})

const saved = (status: number, item: Item): Answer => ({ status, body: item, headers: { etag: item._etag } })

const checkMatch = (item: Item | undefined, ifMatch: string | undefined): void => {
  if (item && ifMatch !== undefined && ifMatch !== '*' && ifMatch !== item._etag) throw preconditionFailed()
}

const create = (items: Items, request: ItemRequest): Answer => {
  const body = checkedBody(request)
  const place = { ...addressed(request), id: body.id }
  if (items.find(place)) throw conflict('item')
  return saved(201, items.write(place, body))
}

const upsert = (items: Items, request: ItemRequest): Answer => {
  const body = checkedBody(request)
  const place = { ...addressed(request), id: body.id }
  const current = items.find(place)
  checkMatch(current, request.ifMatch)
  return saved(current ? 200 : 201, items.write(place, body))
}

const read = (items: Items, request: ItemRequest): Answer => {
  const item = items.find(addressed(request))
  if (!item) throw notFound('item')
  if (request.ifNoneMatch === item._etag) return { status: 304, headers: { etag: item._etag } }
  return saved(200, item)
}

const replace = (items: Items, request: ItemRequest): Answer => {
  const body = checkedBody(request)
  if (body.id !== request.id) throw badRequest('The id in the item is not the one that the request names.')
  const current = items.find(addressed(request))
  if (!current) throw notFound('item')
  checkMatch(current, request.ifMatch)
  return saved(200, items.write(addressed(request), body))
}

const remove = (items: Items, request: ItemRequest): Answer => {
  const current = items.find(addressed(request))
  if (!current) throw notFound('item')
  checkMatch(current, request.ifMatch)
  items.remove(addressed(request))
  return { status: 204 }
}

/** Each runs in one transaction, which is on disk before the answer leaves. */
export const operations: Record<OperationName, (items: Items, request: ItemRequest) => Answer> = {
  Create: create,
  Upsert: upsert,
  Read: read,
  Replace: replace,
  Delete: remove,
}
