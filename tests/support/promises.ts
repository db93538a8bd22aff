// What the platform has acknowledged, each with how to see that it still holds.
import type { Life } from './persistent-tenant.ts'

type Check = (life: Life) => Promise<void>

export interface Promises {
  /** A later one of the same name takes its place. */
  make(name: string, check: Check): void
  /** Its end was asked for: until that is acknowledged, either may be. */
  release(name: string): void
  /** All, or the newest. */
  check(life: Life, most: number): Promise<void>
  readonly count: number
}

export function createPromises(): Promises {
  const made = new Map<string, Check>()
  return {
    make(name, check) {
      made.delete(name)
      made.set(name, check)
    },
    release(name) {
      made.delete(name)
    },
    async check(life, most) {
      const newest = [...made].slice(-Math.min(most, made.size))
      const checks = newest.map(async ([name, check]) => {
        try {
          await check(life)
        } catch (error) {
          throw new Error(`${name} was acknowledged, but ${(error as Error).message}`, { cause: error })
        }
      })
      await Promise.all(checks)
    },
    get count() {
      return made.size
    },
  }
}
