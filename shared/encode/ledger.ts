// What the units of a job have written down: kept in memory, and read again only as far as it may have changed.
import type { Clock } from '../core/clock.ts'
import type { Unit, UnitStore } from './ports.ts'

export interface Ledger {
  put(unit: Unit): Promise<void>
  /** With all that this process wrote, and what others had written a moment ago. */
  read(jobId: string, maxAgeMs?: number): Promise<readonly Unit[]>
}

interface Known {
  readonly units: Map<string, Unit>
  latestSeconds: number
  readAtMs: number
  reading: Promise<void> | undefined
}

const freshMs = 1000
/** What was written in the second that was last seen, or a little before it, may not have been there to be read. */
const overlapSeconds = 2
const rememberedJobs = 32

/** A film of thousands of units: each is read about once by each process, not once by every other unit. */
export function createLedger(store: UnitStore, clock: Pick<Clock, 'now'>): Ledger {
  const jobs = new Map<string, Known>()

  function known(jobId: string): Known {
    const job = jobs.get(jobId) ?? {
      units: new Map(),
      latestSeconds: 0,
      readAtMs: Number.NEGATIVE_INFINITY,
      reading: undefined,
    }
    jobs.delete(jobId)
    jobs.set(jobId, job)
    const [oldest] = jobs.keys()
    if (jobs.size > rememberedJobs && oldest !== undefined) jobs.delete(oldest)
    return job
  }

  async function catchUp(jobId: string, job: Known): Promise<void> {
    const askedAtMs = clock.now()
    const { items, latestSeconds } = await store.since(jobId, Math.max(0, job.latestSeconds - overlapSeconds))
    for (const unit of items) job.units.set(unit.id, unit)
    job.latestSeconds = latestSeconds
    job.readAtMs = askedAtMs
  }

  return {
    async put(unit) {
      await store.put(unit)
      known(unit.jobId).units.set(unit.id, unit)
    },
    async read(jobId, maxAgeMs = freshMs) {
      const job = known(jobId)
      if (clock.now() - job.readAtMs >= maxAgeMs) {
        job.reading ??= catchUp(jobId, job).finally(() => {
          job.reading = undefined
        })
        await job.reading
      }
      return [...job.units.values()]
    },
  }
}
