// The table of contents: every stage in the order a title passes through them, as plain values that bind nothing.

import packageJson from '../package.json' with { type: 'json' }
import { stages as allStages, type Stage } from '../shared/config/index.ts'
import { openapi } from '../shared/http/openapi.ts'
import { admin } from './admin.ts'
import { assets } from './assets.ts'
import type { AnyRoute, Definition } from './definition.ts'
import { deliver } from './deliver.ts'
import { encode, encodeActivities } from './encode.ts'
import { encodeControl } from './encode-control.ts'
import { fleet } from './fleet.ts'
import { fleetPools } from './fleet-pools.ts'
import { fleetWatch } from './fleet-watch.ts'
import { ops } from './ops.ts'
import { protect } from './protect.ts'
import { protectGrants } from './protect-grants.ts'
import { protectActivities, protectKeys, protectOrchestrations } from './protect-keys.ts'
import { tenants } from './tenants.ts'
import { upload } from './upload.ts'
import { webhooks } from './webhooks.ts'
import { webhooksDeliveries } from './webhooks-deliveries.ts'

const stages = [
  admin,
  tenants,
  upload,
  assets,
  encode,
  encodeActivities,
  encodeControl,
  protect,
  protectGrants,
  protectKeys,
  protectOrchestrations,
  protectActivities,
  deliver,
  fleet,
  fleetPools,
  fleetWatch,
  webhooks,
  webhooksDeliveries,
  ops(() => contract()),
]

export const definitionsFor = (served: ReadonlySet<Stage>): Definition[] =>
  stages.filter((stage) => served.has(stage.servedBy)).flatMap((stage) => stage.definitions)

const routes = (): AnyRoute[] =>
  definitionsFor(new Set(allStages)).filter((definition) => definition.kind === 'http')

export const contract = (): Record<string, unknown> => openapi(routes(), packageJson.version)
