// Whether some path fits two templates at once: then the function whose name comes first shadows the other.
import { isCatchAll, isOmissible, matchTemplate } from './match.ts'
import type { Segment } from './template.ts'

/** Values that between them fit every constraint but a regex or a far range: enough to tell int from alpha. */
const samples = [
  'a',
  'abc',
  '1',
  '5',
  '10',
  '100',
  'true',
  '1.5',
  '2026-01-01',
  '00000000-0000-0000-0000-000000000000',
]
const sampleText = (length: number): string => 'a'.repeat(length)

export function overlap(left: readonly Segment[], right: readonly Segment[]): boolean {
  const [a, ...restA] = left
  const [b, ...restB] = right
  if (!a) return right.every(isOmissible)
  if (!b) return left.every(isOmissible)
  // A catch-all takes whatever is left of the other, constraints aside.
  if (isCatchAll(a) || isCatchAll(b)) return true
  return segmentsOverlap(a, b) && overlap(restA, restB)
}

function segmentsOverlap(a: Segment, b: Segment): boolean {
  const fits = (segment: Segment, text: string): boolean => matchTemplate([segment], text) !== undefined
  const literals = [a, b].map(literalOf).filter((text) => text !== undefined)
  if (literals.length > 0) return literals.every((text) => fits(a, text) && fits(b, text))
  const candidates = [...samples, ...Array.from({ length: 40 }, (_, length) => sampleText(length + 1))]
  const shared = [
    ...candidates,
    ...candidates.map((text) => fill(a, text)),
    ...candidates.map((text) => fill(b, text)),
  ]
  if (shared.some((text) => fits(a, text) && fits(b, text))) return true
  // No sample fits one of them at all: nothing is known, so better one warning too many.
  return !shared.some((text) => fits(a, text)) || !shared.some((text) => fits(b, text))
}

const fill = (segment: Segment, text: string): string =>
  segment.map((part) => ('literal' in part ? part.literal : text)).join('')

function literalOf(segment: Segment): string | undefined {
  const [first] = segment
  return segment.length === 1 && first && 'literal' in first ? first.literal : undefined
}
