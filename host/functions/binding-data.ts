// What a streaming request's trigger metadata holds: its parameters, polluted by query and body as on the real host.
import type { TypedData } from '../contract.ts'
import type { Values } from './match.ts'

export interface RequestData {
  readonly params: Values
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  /** The whole body where its length was announced; a chunked one is not looked into. */
  readonly body: Buffer | undefined
}

/** Rule 7: fields of a JSON body, then query keys, then the route's own parameters; the last one wins. */
export function streamingMetadata({ params, query, headers, body }: RequestData): Record<string, TypedData> {
  const entries = new Map<string, [name: string, value: string | undefined]>()
  const set = (name: string, value: string | undefined): void => {
    const key = name.toLowerCase()
    entries.set(key, [entries.get(key)?.[0] ?? name, value])
  }
  for (const [name, value] of jsonFields(body)) set(name, value)
  for (const [name, value] of new URLSearchParams(query)) {
    // `code` carries a function key, so the real host keeps it out.
    if (name.toLowerCase() !== 'code') set(name, value)
  }
  for (const [name, value] of Object.entries(params)) set(name, value)
  const metadata: Record<string, TypedData> = {}
  for (const [name, value] of entries.values()) if (value !== undefined) metadata[name] = { string: value }
  // A query key or body field named "headers" takes the place of all headers, in the real host's source too.
  if (!entries.has('headers')) metadata['Headers'] = { json: JSON.stringify(headers) }
  return metadata
}

/** The top-level fields as .NET prints them; an object has a name only, an array and null not even that. */
function jsonFields(body: Buffer | undefined): [string, string | undefined][] {
  const text = body?.toString('utf8').trim() ?? ''
  if (!text.startsWith('{') || !text.endsWith('}')) return []
  try {
    const fields = Object.entries(JSON.parse(text) as Record<string, unknown>)
    return fields.flatMap(([name, value]): [string, string | undefined][] => {
      if (value === null || Array.isArray(value)) return []
      if (typeof value === 'object') return [[name, undefined]]
      return [[name, typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)]]
    })
  } catch {
    return []
  }
}

/** Query values as buffered mode shows them: names without case, repeated values joined by a comma. */
export function joinedQuery(query: string): Record<string, string> {
  const entries = new Map<string, [name: string, value: string]>()
  for (const [name, value] of new URLSearchParams(query)) {
    const known = entries.get(name.toLowerCase())
    entries.set(name.toLowerCase(), known ? [known[0], `${known[1]},${value}`] : [name, value])
  }
  return Object.fromEntries(entries.values())
}
