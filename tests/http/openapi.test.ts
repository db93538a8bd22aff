// The contract says what it means: every reference leads to a schema, every route says who may call it, roles included.
import { describe, expect, test } from 'vitest'
import { contract } from '../../functions/stages.ts'
import committed from '../../openapi.json' with { type: 'json' }

type Json = Record<string, unknown>
const document = JSON.parse(JSON.stringify(contract())) as {
  paths: Record<string, Record<string, Json>>
  components: { schemas: Record<string, Json> }
}
const { schemas } = document.components

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '$ref' && typeof inner === 'string' ? [inner] : referencesIn(inner),
  )
}

test('the committed contract is that of the routes', () => {
  expect(document).toEqual(committed)
})

describe('schemas', () => {
  test('each reference leads to one that is there', () => {
    const references = new Set(referencesIn(document))
    expect(references.size).toBeGreaterThan(10)
    const known = Object.keys(schemas).map((name) => `#/components/schemas/${name}`)
    expect([...references].filter((reference) => !known.includes(reference))).toEqual([])
  })

  test('none is but a reference, least of all to itself', () => {
    expect(Object.entries(schemas).filter(([, schema]) => '$ref' in schema)).toEqual([])
    expect(schemas['Asset']).toMatchObject({ type: 'object', properties: { id: { type: 'string' } } })
    expect(schemas['Problem']?.['required']).toContain('code')
  })
})

test('who may call a route stands at it: an owner everywhere, nobody by default', () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  const ofTenants = operations.filter(({ security }) => JSON.stringify(security ?? '').includes('tenant'))
  expect(ofTenants.length).toBeGreaterThan(15)
  for (const operation of ofTenants)
    expect(operation['x-roles'], String(operation['operationId'])).toContain('owner')
  const others = operations.filter((operation) => !ofTenants.includes(operation))
  expect(others.filter((operation) => 'x-roles' in operation)).toEqual([])
})
