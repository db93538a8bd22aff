// Fleet, by itself: a timer looks at all pools, and orchestrations drive each wake and each drain to its end.
import type { App } from '../shared/app.ts'
import { fleetDrain, fleetWake } from '../shared/fleet/orchestrate.ts'
import type { Activity, StageDefinitions, Timer } from './definition.ts'
import { driving } from './hand-off.ts'

const watch: Timer = {
  kind: 'timer',
  name: 'fleet-watch',
  schedule: '*/10 * * * * *',
  run: async (app) => (await app.fleet.watch()).map(driving),
}

const activity = (name: string, which: keyof App['fleet']['errands']): Activity => ({
  kind: 'activity',
  name,
  run: (app, input) => app.fleet.errands[which](input),
})

export const fleetWatch: StageDefinitions = {
  servedBy: 'orchestrate',
  definitions: [
    watch,
    { kind: 'orchestrator', name: 'fleet-wake', run: fleetWake },
    { kind: 'orchestrator', name: 'fleet-drain', run: fleetDrain },
    activity('fleet-start', 'start'),
    activity('fleet-look', 'look'),
    activity('fleet-stop', 'stop'),
  ],
}
