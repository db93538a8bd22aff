// How the host encodes a trigger's value for the worker: what a .NET object becomes on the wire.
import type { TypedData } from '../contract.ts'

/** Rule 19: a boolean arrives as the string that .NET prints, `null` as nothing at all. */
export function encodeTriggerValue(value: unknown): TypedData {
  if (value === null || value === undefined) return {}
  if (typeof value === 'string') return { string: value }
  if (typeof value === 'boolean') return { string: value ? 'True' : 'False' }
  return { string: JSON.stringify(value) }
}
