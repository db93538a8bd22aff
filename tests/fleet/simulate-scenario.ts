// Scenarios for tests of the simulator: as small as they can be, with one thing about each that matters.
import { readFileSync } from 'node:fs'
import { readScenario, type Scenario } from '../../bench/simulate/scenario.ts'

const folder = new URL('../../bench/simulate/scenarios/', import.meta.url)

export const shipped = (name: string): Scenario =>
  readScenario(name, readFileSync(new URL(`${name}.json`, folder), 'utf8'))

export const group = (name: string, more: object = {}) => ({
  ...{ name, size: 'D8', zone: name, count: 4, pricePerHour: 3.6, slots: 4, sessions: 600 },
  ...more,
})

export const edges = (more: object = {}, groups = [group('a'), group('b')]) => ({
  currency: 'EUR',
  pools: [{ name: 'edge', appSessions: 0, groups, budgetPerHour: 1000, budgetPerMonth: 100_000, ...more }],
})

export const encoders = (more: object = {}, groups = [group('a')]) => ({
  currency: 'EUR',
  pools: [{ name: 'encoder', groups, budgetPerHour: 1000, budgetPerMonth: 100_000, ...more }],
})

export const scenario = (parts: object): Scenario =>
  readScenario('test', JSON.stringify({ title: 'A test', hours: 1, ...parts }))
