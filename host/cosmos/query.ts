// Decides which queries are served, and a page of their results.
import { createRequire } from 'node:module'
import { badRequest, notServed } from './answer.ts'
import type { Item } from './items.ts'

export interface QuerySpec {
  query: string
  parameters?: { name: string; value: unknown }[]
}

export interface Page {
  results: unknown[]
  continuation?: string
}

type Node = { type?: string; [name: string]: unknown }
type Parsed = {
  ast: Node
  exec(
    items: Item[],
    options: Record<string, unknown>,
  ): { result: unknown[]; continuation: { token: string } | null }
}

const { default: parseQuery } = createRequire(import.meta.url)('@zeit/cosmosdb-query') as {
  default: (text: string) => Parsed
}

const AGGREGATES = new Set(['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'])
// Clauses that Cosmos knows and the parser does not.
const UNKNOWN_TO_PARSER = /\b(GROUP\s+BY|OFFSET|DISTINCT|LIKE)\b/i
const PAGE_DEFAULT = 100
const PAGE_MAX = 1000
const CACHED_QUERIES = 200

const parsed = new Map<string, Parsed>()

const parse = (text: string): Parsed => {
  const known = parsed.get(text)
  if (known) return known
  let query: Parsed
  try {
    query = parseQuery(text)
  } catch (error) {
    const unknown = UNKNOWN_TO_PARSER.exec(text)?.[0]
    if (unknown) throw notServed(`${unknown.toUpperCase()} in queries`)
    throw badRequest(`Syntax error in the query: ${(error as Error).message}`)
  }
  if (parsed.size >= CACHED_QUERIES) parsed.clear()
  parsed.set(text, query)
  return query
}

const nodesOf = (value: unknown): Node[] => {
  if (value === null || typeof value !== 'object') return []
  const inside = Object.values(value).flatMap(nodesOf)
  return Array.isArray(value) ? inside : [value as Node, ...inside]
}

const orderings = (body: Node): unknown[] =>
  ((body['orderBy'] as { expressions: unknown[] } | null)?.expressions as unknown[]) ?? []

/** Across partitions the real service merges by a plan that the client runs; only plain filters need none. */
const checkServed = ({ ast }: Parsed, acrossPartitions: boolean): void => {
  const body = ast['body'] as Node
  for (const node of nodesOf(body)) {
    if (node.type?.includes('subquery')) throw notServed('subqueries')
    if (node.type !== 'scalar_function_expression') continue
    const name = String((node['name'] as { name: string }).name).toUpperCase()
    if (node['udf']) throw notServed('user-defined functions')
    if (AGGREGATES.has(name)) throw notServed(`the aggregate ${name}`)
  }
  if ((body['from'] as { joins?: unknown[] } | null)?.joins?.length) throw notServed('JOIN in queries')
  if (orderings(body).length > 1) throw notServed('ORDER BY more than one property')
  if (!acrossPartitions) return
  if (body['orderBy']) throw notServed('ORDER BY across partitions')
  if (body['top']) throw notServed('TOP across partitions')
}

const pageSize = (asked: string | undefined): number => {
  const size = Number(asked ?? PAGE_DEFAULT)
  if (!Number.isInteger(size) || size === 0 || size < -1)
    throw badRequest('The page size must be positive, or -1.')
  return size === -1 ? PAGE_MAX : Math.min(size, PAGE_MAX)
}

const continuationOf = (token: string | undefined): { token: string } | undefined => {
  if (token === undefined) return undefined
  if (!/^\+RID:[^#]+#RT:\d+/.test(token))
    throw badRequest('The continuation token is not one of this server.')
  return { token }
}

export interface QueryRequest {
  spec: QuerySpec
  acrossPartitions: boolean
  /** Read only once the query is known to be served. */
  items: () => Item[]
  pageSize: string | undefined
  continuation: string | undefined
}

export const runQuery = (request: QueryRequest): Page => {
  const { spec } = request
  if (typeof spec?.query !== 'string') throw badRequest('A query needs its text.')
  const query = parse(spec.query)
  checkServed(query, request.acrossPartitions)
  const { result, continuation } = query.exec(request.items(), {
    parameters: spec.parameters ?? [],
    maxItemCount: pageSize(request.pageSize),
    continuation: continuationOf(request.continuation),
  })
  return { results: result, ...(continuation ? { continuation: continuation.token } : {}) }
}
