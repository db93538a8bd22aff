// JSON as a token may carry it: one object that every parser reads alike; anything that two could read differently is refused.

/** A policy in the claims, a list in the policy, and the object itself. */
const deepest = 3
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonObject = Readonly<Record<string, unknown>>

export function readStrictJson(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    return isObject(value) && readsOneWay(text, value) ? value : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 8259 leaves names that repeat (4), large numbers (6) and halves of surrogate pairs (8.2) to the reader. */
function readsOneWay(text: string, value: JsonObject): boolean {
  // It was parsed, so outside of its strings there are only brackets, commas, colons, numbers and literals.
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '')
  const numbers = bare.match(/-?\d[\d.eE+-]*/g) ?? []
  const written = bare.match(/:/g)?.length ?? 0
  return (
    depth(bare) <= deepest &&
    numbers.every((number) => /^(0|[1-9]\d*)$/.test(number) && Number.isSafeInteger(Number(number))) &&
    // Of two members with the same name only one is left in the value.
    written === members(value) &&
    isWellFormed(value)
  )
}

function depth(bare: string): number {
  let now = 0
  let most = 0
  for (const mark of bare) {
    if (mark === '{' || mark === '[') most = Math.max(most, ++now)
    else if (mark === '}' || mark === ']') now--
  }
  return most
}

const members = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce(
        (sum: number, each) => sum + members(each),
        Array.isArray(value) ? 0 : Object.keys(value).length,
      )
    : 0

const isWellFormed = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.isWellFormed()
    : typeof value !== 'object' ||
      value === null ||
      Object.entries(value).every(([name, each]) => name.isWellFormed() && isWellFormed(each))
