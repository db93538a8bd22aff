// What was looked up a moment ago: one flight for each key, an age that counts from the question, and a bound on what is held.
import type { Clock } from './clock.ts'
import { isUnavailable, within } from './patience.ts'

export interface RecentOptions<V> {
  readonly clock: Pick<Clock, 'now'>
  readonly maxAgeMs: number
  /** Bound on the sum of `weigh` over what is held; entries count 1 each without it. */
  readonly maxWeight: number
  readonly weigh?: (value: V) => number
  /** Answers that are not worth keeping are asked for again each time. */
  readonly keep?: (value: V) => boolean
  /** While nobody can be asked, or does not answer soon, the last answer serves on until it is as old as this. */
  readonly grace?: { readonly maxAgeMs: number; readonly clock: Clock }
}

export interface Recent<V> {
  get(key: string, load: () => Promise<V>): Promise<V>
  drop(key: string): void
  dropBelow(prefix: string): void
}

interface Entry<V> {
  readonly askedAtMs: number
  value: Promise<V>
  /** When the answer was true: later than a question that nobody answered. */
  trueAtMs: number
  /** 0 while the answer is on its way. */
  weight: number
}

const patienceMs = 500

export function createRecent<V>(options: RecentOptions<V>): Recent<V> {
  const { clock, maxAgeMs, maxWeight, weigh = () => 1, keep = () => true, grace } = options
  const spentAfterMs = Math.max(maxAgeMs, grace?.maxAgeMs ?? 0)
  // A Map keeps the order of insertion: whatever is used moves to the end, so the first is the least recently used.
  const entries = new Map<string, Entry<V>>()
  let held = 0

  const drop = (key: string): void => {
    held -= entries.get(key)?.weight ?? 0
    entries.delete(key)
  }
  /** A clock that was set back makes answers of the future: nobody knows how old those are. */
  const ageMs = (atMs: number): number => {
    const passedMs = clock.now() - atMs
    return passedMs < 0 ? Number.POSITIVE_INFINITY : passedMs
  }
  // Counted from before the question was asked: what changed after it is seen within `maxAgeMs`, however slow the answer.
  const fresh = (entry: Entry<V>): boolean => ageMs(entry.askedAtMs) < maxAgeMs
  const spent = (entry: Entry<V>): boolean => ageMs(entry.trueAtMs) >= spentAfterMs
  const shrink = (): void => {
    for (const [key, entry] of entries) {
      if (held <= maxWeight && !spent(entry)) return
      if (entry.weight > 0) drop(key)
    }
  }
  const settle = (key: string, entry: Entry<V>, value: V | undefined): void => {
    if (entries.get(key) !== entry) return
    held -= entry.weight
    entry.weight = 0
    if (value === undefined || !keep(value)) drop(key)
    else {
      entry.weight = Math.max(1, weigh(value))
      held += entry.weight
      shrink()
    }
  }
  /** Nobody answered the last question: who has an answer already does not wait for the next one. */
  let silent = false
  const ask = (key: string, load: () => Promise<V>, before: Entry<V> | undefined): Entry<V> => {
    const askedAtMs = clock.now()
    const answer = load()
    const entry: Entry<V> = { askedAtMs, trueAtMs: askedAtMs, value: answer, weight: 0 }
    if (!before || !grace) return entry
    entry.value = within(grace.clock, silent ? 0 : patienceMs, answer).catch((error: unknown) => {
      if (!isUnavailable(error)) throw error
      silent = true
      entry.trueAtMs = before.trueAtMs
      return before.value
    })
    answer.then(
      (value) => {
        silent = false
        entry.value = answer
        entry.trueAtMs = askedAtMs
        settle(key, entry, value)
      },
      () => {},
    )
    return entry
  }

  return {
    drop,
    dropBelow(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) drop(key)
    },
    get(key, load) {
      const known = entries.get(key)
      if (known && fresh(known)) {
        entries.delete(key)
        entries.set(key, known)
        return known.value
      }
      const before = grace && known && known.weight > 0 && !spent(known) ? known : undefined
      drop(key)
      const entry = ask(key, load, before)
      entries.set(key, entry)
      entry.value.then(
        (value) => settle(key, entry, value),
        () => settle(key, entry, undefined),
      )
      return entry.value
    },
  }
}
