// Decides which logical partition an item is in: the values at its container's key paths, as the protocol writes them.
import { badRequest } from './answer.ts'

export interface PartitionKeyDefinition {
  paths: string[]
  kind?: string
  version?: number
}

/** A value that is not there is `{}` in the header, which differs from `null`. */
const ABSENT = {}

const valueAt = (item: unknown, path: string): unknown => {
  const names = path.slice(1).split('/')
  const value = names.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], item)
  if (value === undefined) return ABSENT
  if (value !== null && typeof value === 'object') {
    throw badRequest(`The partition key at ${path} must be a string, a number, a boolean or null.`)
  }
  return value
}

/** Canonical text of an item's partition key: the JSON array of its values. */
export const partitionOf = (item: unknown, { paths }: PartitionKeyDefinition): string =>
  JSON.stringify(paths.map((path) => valueAt(item, path)))

/** Canonical text of the header `x-ms-documentdb-partitionkey`. */
export const partitionFromHeader = (header: string, { paths }: PartitionKeyDefinition): string => {
  let values: unknown
  try {
    values = JSON.parse(header)
  } catch {
    throw badRequest('The partition key header is not JSON.')
  }
  if (!Array.isArray(values) || values.length !== paths.length) {
    throw badRequest(`The partition key header must be an array of ${paths.length}.`)
  }
  return JSON.stringify(values)
}
