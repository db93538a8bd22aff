// How a route template reads: segments of literals and parameters, in the grammar of ASP.NET Core's older router.
import { type Constraint, createConstraint } from './constraints.ts'

export interface Parameter {
  readonly name: string
  readonly catchAll: boolean
  readonly optional: boolean
  readonly defaultValue: string | undefined
  readonly constraints: readonly Constraint[]
}

export type Part = { readonly literal: string } | { readonly parameter: Parameter }
export type Segment = readonly Part[]

/** Throws an Error that says what is wrong with the template. */
export function parseTemplate(template: string): Segment[] {
  const segments = split(template.replace(/\/$/, '')).map((parts) => parts.map(toPart))
  const names = new Set<string>()
  for (const [index, segment] of segments.entries()) {
    checkSegment(segment, index === segments.length - 1)
    for (const name of namesOf(segment)) {
      if (names.has(name.toLowerCase())) throw new Error(`the parameter '${name}' appears more than once`)
      names.add(name.toLowerCase())
    }
  }
  return segments
}

export const namesOf = (segment: Segment): string[] =>
  segment.flatMap((part) => ('parameter' in part ? [part.parameter.name] : []))

type Raw = { text: string; isParameter: boolean }

/** A slash separates segments only outside braces; `{{` and `}}` stand for single braces everywhere. */
function split(template: string): Raw[][] {
  const segments: Raw[][] = [[]]
  let text = ''
  let inside = false
  const push = (isParameter: boolean): void => {
    if (text !== '' || isParameter) segments.at(-1)!.push({ text, isParameter })
    text = ''
  }
  for (let at = 0; at < template.length; at++) {
    const character = template[at]!
    if ((character === '{' || character === '}') && template[at + 1] === character) {
      text += character
      at++
    } else if (character === '{') {
      if (inside) throw new Error('a brace opens inside a parameter')
      push(false)
      inside = true
    } else if (character === '}') {
      if (!inside) throw new Error('a brace closes that never opened')
      push(true)
      inside = false
    } else if (character === '/' && !inside) {
      push(false)
      if (segments.at(-1)!.length === 0) throw new Error('two slashes follow one another')
      segments.push([])
    } else text += character
  }
  if (inside) throw new Error('a brace is never closed')
  push(false)
  return segments.at(-1)!.length === 0 ? segments.slice(0, -1) : segments
}

function toPart({ text, isParameter }: Raw): Part {
  if (isParameter) return { parameter: parseParameter(text) }
  if (text.includes('?')) throw new Error(`the literal '${text}' has a question mark`)
  return { literal: text }
}

const shape =
  /^(?<stars>\*{0,2})(?<name>[^:=?*/{}]+)(?<constraints>(?::[^:=()]+(?:\(.*?\)(?=[:=]|$))?)*)(?:=(?<value>.*))?$/

function parseParameter(text: string): Parameter {
  const optional = text.endsWith('?')
  const match = shape.exec(optional ? text.slice(0, -1) : text)?.groups
  if (!match) throw new Error(`'{${text}}' is not a valid parameter`)
  const { stars, name, constraints, value } = match
  if (optional && stars) throw new Error(`the catch-all '${name}' cannot be optional`)
  if (optional && value !== undefined)
    throw new Error(`the optional parameter '${name}' cannot have a default`)
  return {
    name: name!,
    catchAll: stars !== '',
    optional,
    defaultValue: value,
    constraints: [...constraints!.matchAll(/:([^:=()]+)(?:\((.*?)\)(?=[:=]|$))?/g)].map(([, kind, args]) => {
      try {
        return createConstraint(kind!, args)
      } catch (error) {
        throw new Error(`'{${text}}': ${kind}: ${(error as Error).message}`)
      }
    }),
  }
}

function checkSegment(segment: Segment, isLast: boolean): void {
  for (const [index, part] of segment.entries()) {
    if (!('parameter' in part)) continue
    const { name, catchAll, optional } = part.parameter
    const before = segment[index - 1]
    if (before && 'parameter' in before)
      throw new Error(`nothing stands between '${before.parameter.name}' and '${name}'`)
    if (catchAll && (segment.length > 1 || !isLast))
      throw new Error(`the catch-all '${name}' must be the whole last segment`)
    if (!optional) continue
    if (!isLast || index < segment.length - 1)
      throw new Error(`the optional parameter '${name}' must come last`)
    if (before && !(before.literal === '.' || before.literal.endsWith('.'))) {
      throw new Error(`only a dot may stand before the optional parameter '${name}'`)
    }
  }
}
