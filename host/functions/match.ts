// Whether a decoded path fits a template, and which values its parameters take.
import { namesOf, type Parameter, type Segment } from './template.ts'

export type Values = Readonly<Record<string, string>>

/** `path` is decoded and has no leading slash; a trailing one makes no difference, an empty segment does. */
export function matchTemplate(template: readonly Segment[], path: string): Values | undefined {
  const values: Record<string, string> = {}
  const steps = path.split('/')
  const count = path.endsWith('/') || path === '' ? steps.length - 1 : steps.length
  if (count > template.length && !isCatchAll(template.at(-1))) return undefined
  for (const [index, segment] of template.entries()) {
    const rest = isCatchAll(segment) ? steps.slice(index).join('/') : steps[index]
    if (!matchSegment(segment, index < count ? rest : undefined, values)) return undefined
  }
  return fitsConstraints(template, values) ? values : undefined
}

/** Fills in what the segment gives, before any constraint; undefined stands for a path that has ended. */
function matchSegment(segment: Segment, text: string | undefined, values: Record<string, string>): boolean {
  const [first] = segment
  if (!first || segment.length > 1) return matchMixed(segment, text, values)
  if ('literal' in first) return text !== undefined && sameText(first.literal, text)
  const { name, defaultValue } = first.parameter
  if (text) values[name] = text
  else if (defaultValue !== undefined) values[name] = defaultValue
  else return isOmissible(segment)
  return true
}

/** Literals and parameters in one segment: the last literal that fits divides, as the router reads from the right. */
function matchMixed(segment: Segment, text: string | undefined, values: Record<string, string>): boolean {
  if (text === undefined) return false
  const last = segment.at(-1)
  const shorter =
    last && 'parameter' in last && last.parameter.optional ? withoutOptional(segment) : undefined
  return fill(segment) || (shorter !== undefined && fill(shorter))

  function fill(parts: Segment): boolean {
    const found = mixedPattern(parts).exec(text!)
    for (const [index, name] of namesOf(parts).entries()) if (found) values[name] = found[index + 1]!
    return found !== null
  }
}

function withoutOptional(segment: Segment): Segment {
  const before = segment.at(-2)
  const rest = segment.slice(0, -2)
  return before && 'literal' in before && before.literal !== '.'
    ? [...rest, { literal: before.literal.slice(0, -1) }]
    : rest
}

function mixedPattern(segment: Segment): RegExp {
  const source = segment.map((part) => ('literal' in part ? escapeText(part.literal) : '(.+)'))
  return new RegExp(`^${source.join('')}$`, 'is')
}

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function fitsConstraints(template: readonly Segment[], values: Values): boolean {
  return parametersOf(template).every(({ name, constraints, optional }) => {
    const value = values[name]
    if (value === undefined) return optional || constraints.length === 0
    return constraints.every((fits) => fits(value))
  })
}

function parametersOf(template: readonly Segment[]): Parameter[] {
  return template.flatMap((segment) =>
    segment.flatMap((part) => ('parameter' in part ? [part.parameter] : [])),
  )
}

export const sameText = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export function isCatchAll(segment: Segment | undefined): boolean {
  const first = segment?.[0]
  return first !== undefined && 'parameter' in first && first.parameter.catchAll
}

/** A path may end before this segment. */
export function isOmissible(segment: Segment): boolean {
  const [first] = segment
  if (segment.length !== 1 || !first || 'literal' in first) return false
  return first.parameter.optional || first.parameter.catchAll || first.parameter.defaultValue !== undefined
}
