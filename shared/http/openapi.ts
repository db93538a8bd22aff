// The contract: OpenAPI 3.1, built from the routes and their schemas.
import { z } from 'zod'
import { problems } from '../core/problem.ts'
import { rolesOf } from './identify.ts'
import { type Route, templateParams } from './route.ts'

const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.enum(Object.keys(problems) as [string, ...string[]]),
    instance: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })

type Json = Record<string, unknown>

/** A schema where it is used: named ones by reference, the others in place. */
function schemaOf(schema: z.ZodType, named: Map<string, Json>, io: 'input' | 'output'): Json {
  const made = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as Json
  const { $schema: _, $defs, ...body } = made
  for (const [name, definition] of Object.entries(($defs ?? {}) as Record<string, Json>))
    keep(name, definition, named)
  const id = schema.meta()?.id
  // A named schema stands among its own definitions, and `body` only refers to it there.
  if (id && !body['$ref']) keep(id, body, named)
  return id ? { $ref: `#/components/schemas/${id}` } : (relink(body) as Json)
}

function keep(name: string, definition: Json, named: Map<string, Json>) {
  const { id: _, ...rest } = definition
  named.set(name, relink(rest) as Json)
}

const relink = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(relink)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, inner]) =>
    name === '$ref' && typeof inner === 'string'
      ? [name, inner.replace('#/$defs/', '#/components/schemas/')]
      : [name, relink(inner)],
  )
  return Object.fromEntries(entries)
}

function operation(route: Route<never>, named: Map<string, Json>): Json {
  const path = templateParams(route.path).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const query = route.query ? (schemaOf(route.query, named, 'input')['properties'] as Json) : {}
  const inQuery = Object.entries(query).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }))
  const idempotency = route.methods.includes('POST') && ['tenant', 'admin'].includes(route.auth)
  const header = { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string' } }
  const problem = { 'application/problem+json': { schema: schemaOf(ProblemSchema, named, 'output') } }
  const replies = Object.entries(route.reply).map(([status, schema]) => [
    status,
    schema
      ? {
          description: 'As asked',
          content: { 'application/json': { schema: schemaOf(schema, named, 'output') } },
        }
      : { description: 'As asked' },
  ])
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.name.split('-')[0]],
    parameters: [...path, ...inQuery, ...(idempotency ? [header] : [])],
    ...(route.body
      ? { requestBody: { content: { 'application/json': { schema: schemaOf(route.body, named, 'input') } } } }
      : {}),
    responses: {
      ...Object.fromEntries(replies),
      default: { description: 'A problem (RFC 9457)', content: problem },
    },
    ...(route.auth === 'none' ? {} : { security: [{ [route.auth]: [] }] }),
    ...(route.auth === 'tenant' ? { 'x-roles': rolesOf(route) } : {}),
  }
}

/** Deterministic: the same routes give the same text, so that the committed file can be compared. */
export function openapi(routes: ReadonlyArray<Route<never>>, version: string): Json {
  const named = new Map<string, Json>()
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = `/${route.path.replace(/\{\*{1,2}/g, '{').replace(/\{([a-zA-Z]+):[^}]*\}/g, '{$1}')}`
    for (const method of route.methods)
      paths[path] = {
        ...paths[path],
        [method.toLowerCase()]: { ...operation(route, named), operationId: operationId(route, method) },
      }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Movidone', version, description: 'Secure video: upload, encode, protect, play.' },
    paths,
    components: {
      schemas: Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        tenant: { type: 'http', scheme: 'bearer', description: 'A tenant API key.' },
        admin: { type: 'apiKey', in: 'header', name: 'x-movidone-admin' },
        node: { type: 'http', scheme: 'bearer', description: 'The credential of a node of the fleet.' },
      },
    },
  }
}

const operationId = (route: Route<never>, method: string): string =>
  route.methods.length === 1 ? route.name : `${route.name}-${method.toLowerCase()}`
