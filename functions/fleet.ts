// Fleet: a worker says what became of the unit that it holds, and the orchestration that waits for it is told to look.
import { UnitReport } from '../shared/fleet/schema.ts'
import { http, type StageDefinitions } from './definition.ts'
import { unitReported } from './hand-off.ts'

const fleetReport = http({
  name: 'fleet-report',
  methods: ['POST'],
  path: 'api/v1/fleet/units/{unitId}',
  auth: 'node',
  // The unit's own document says who did it, and how often.
  audited: false,
  summary: 'Report what became of a unit of work; only the node that holds it may',
  body: UnitReport,
  reply: { 204: null },
  durable: true,
  run: async ({ app, caller, params, body, orchestrations }) => {
    const { claim, ...report } = body
    const node = caller.kind === 'node' ? caller.nodeId : ''
    const waits = await app.encode.reports.take(params['unitId'] ?? '', { node, number: claim }, report)
    // Lost or late, it is looked for anyway.
    await orchestrations.raise(waits, unitReported).catch((error: unknown) => {
      app.log('warn', 'fleet.event-lost', { instance: waits, cause: String(error).slice(0, 200) })
    })
  },
})

export const fleet: StageDefinitions = { servedBy: 'orchestrate', definitions: [fleetReport] }
