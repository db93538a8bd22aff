// A policy as a form shows it: each field as the text a person types, and back.
import { words } from './wording.ts'

export interface Policy {
  notBefore?: string | null
  notAfter?: string | null
  countries?: string[] | null
  blockedCountries?: string[] | null
  networks?: string[] | null
  referrers?: string[] | null
  maxResolution?: number | null
  maxStreams?: number | null
  maxClients?: number | null
}

type Field = keyof Policy
/** What stands in the form's fields, by their names. */
export type PolicyTexts = Record<Field, string>

const times = ['notBefore', 'notAfter'] as const
const capitals = ['countries', 'blockedCountries'] as const
const lists = ['networks', 'referrers'] as const
const numbers = ['maxResolution', 'maxStreams', 'maxClients'] as const

const two = (number: number): string => String(number).padStart(2, '0')

/** The value of a `datetime-local` field: local time, to the minute. */
export function localTime(iso: string): string {
  const at = new Date(iso)
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`
}

export function textsOf(policy: Policy): PolicyTexts {
  const texts = {} as PolicyTexts
  for (const name of times) texts[name] = policy[name] ? localTime(policy[name]) : ''
  for (const name of capitals) texts[name] = policy[name]?.join(', ') ?? ''
  for (const name of lists) texts[name] = policy[name]?.join('\n') ?? ''
  for (const name of numbers) texts[name] = policy[name]?.toString() ?? ''
  return texts
}

/** An empty field asks nothing, so it is left out. What is wrong with the others is for the platform to say. */
export function policyOf(texts: PolicyTexts, before: Policy = {}): Policy {
  const policy: Policy = {}
  for (const name of times) {
    const kept = before[name]
    // A form knows minutes; a time that was not touched keeps its seconds.
    if (texts[name])
      policy[name] = kept && localTime(kept) === texts[name] ? kept : new Date(texts[name]).toISOString()
  }
  for (const name of capitals) {
    const found = words(texts[name].toUpperCase())
    if (found.length > 0) policy[name] = found
  }
  for (const name of lists) {
    const found = words(texts[name])
    if (found.length > 0) policy[name] = found
  }
  for (const name of numbers) if (texts[name]) policy[name] = Number(texts[name])
  return policy
}

/** Which field of the form a JSON pointer such as `/policy/countries/2` is about. */
export const fieldOf = (pointer: string): string => pointer.replace(/^\/policy/, '').split('/')[1] ?? ''
