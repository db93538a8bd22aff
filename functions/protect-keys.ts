// Protect, keys: an owner gives a title new content keys, an admin has all keys wrapped by the newest KEK.
import type { App } from '../shared/app.ts'
import { rekeyAsset, rewrapKeys } from '../shared/protect/orchestrate.ts'
import { RekeyStarted, RewrapStarted } from '../shared/protect/schema.ts'
import { type Activity, http, type StageDefinitions, type Timer } from './definition.ts'
import { rekeying, rewrapping } from './hand-off.ts'

const rekeyStart = http({
  name: 'protect-rekey-start',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/rekey',
  auth: 'tenant',
  summary: 'Give a title new content keys, without a new encode',
  reply: { 202: RekeyStarted },
  durable: true,
  run: async ({ app, tenant, params, orchestrations }) => {
    const target = app.rotation.nextGeneration(await app.assets.get(tenant.id, params['assetId'] ?? ''))
    await orchestrations.startOnce(rekeying(target))
    return { assetId: target.assetId, generation: target.generation }
  },
})

const rewrapStart = http({
  name: 'protect-rewrap-start',
  methods: ['POST'],
  path: 'api/v1/rewrap',
  auth: 'admin',
  summary: 'Wrap all keys by the newest KEK, and say how many are not yet',
  reply: { 202: RewrapStarted },
  durable: true,
  run: async ({ app, orchestrations }) => {
    const start = rewrapping()
    const outdated = await app.rotation.outdated()
    await orchestrations.startOnce(start)
    return { instanceId: start.instanceId, ...outdated }
  },
})

/** For whoever rotates the KEK and asks for nothing, as the vault does by its own policy. */
const rewrapWatch: Timer = {
  kind: 'timer',
  name: 'protect-rewrap-watch',
  schedule: '0 40 3 * * *',
  run: async (app) => ((await app.rotation.outdated()).remaining > 0 ? [rewrapping()] : []),
}

type Name = keyof App['rotation']['activities']
const activity = (name: string, which: Name): Activity => ({
  kind: 'activity',
  name,
  run: (app, input) => app.rotation.activities[which](input),
})

export const protectKeys: StageDefinitions = { servedBy: 'api', definitions: [rekeyStart, rewrapStart] }

export const protectOrchestrations: StageDefinitions = {
  servedBy: 'orchestrate',
  definitions: [
    { kind: 'orchestrator', name: 'protect-rekey', run: rekeyAsset },
    { kind: 'orchestrator', name: 'protect-rewrap', run: rewrapKeys },
    rewrapWatch,
  ],
}

export const protectActivities: StageDefinitions = {
  servedBy: 'encode',
  definitions: [
    activity('protect-rekey-begin', 'rekeyBegin'),
    activity('protect-rekey-batch', 'rekeyBatch'),
    activity('protect-rekey-switch', 'rekeySwitch'),
    activity('protect-rekey-retire', 'rekeyRetire'),
    activity('protect-rewrap-batch', 'rewrap'),
  ],
}
