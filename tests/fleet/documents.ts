// Plans, nodes and pools as the fleet's tests need them: whole, and different only where a test says so.
import { asleep } from '../../shared/fleet/machine.ts'
import type { FleetPlan, Group, PoolPlan } from '../../shared/fleet/plan.ts'
import type { Node } from '../../shared/fleet/ports.ts'

export const sampleGroup = (changes: Partial<Group> = {}): Group => ({
  ...{ name: 'z1', size: 'D4', zone: '1', count: 3, pricePerHour: 1, slots: 1 },
  ...{ sessions: 1000, bytesPerSecond: 1e9 },
  ...changes,
})

export const samplePlan = (changes: Partial<PoolPlan> = {}): PoolPlan => ({
  name: 'encoder',
  groups: [sampleGroup()],
  ...{ minimum: 0, maximum: 3, reserve: 0, appSessions: 0 },
  ...{ goalMs: 60_000, coolMs: 30_000, stayMs: 30_000, bootMs: 20_000, lateMs: 120_000 },
  ...{ drainMs: 300_000, scarceMs: 60_000 },
  budget: { perHour: 100, perMonth: 10_000 },
  ...changes,
})

export const sampleFleet = (...pools: PoolPlan[]): FleetPlan => ({
  currency: 'EUR',
  pools,
  beatMs: 5000,
  deadMs: 30_000,
})

export const sampleNode = (changes: Partial<Node> = {}): Node => ({
  ...asleep('encoder', 'encoder-z1-1'),
  ...changes,
})

export const sampleBoot = (id = 'boot', atMs = 0) => ({ id, sha256: 'x'.repeat(64), atMs, version: '1.0.0' })

export const sampleLoad = { sessions: 0, bytesPerSecond: 0, cpu: 0 }
