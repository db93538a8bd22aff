// What one stage starts in another: which orchestration, under which instance id, with which input.
import type { App } from '../shared/app.ts'
import { type Asset, encodeInstanceId } from '../shared/assets/model.ts'
import { sha256Hex } from '../shared/core/hash.ts'
import type { Orchestrations, Start } from '../shared/http/route.ts'

/** The event that a unit's orchestration waits for. */
export const unitReported = 'unit-reported'

type Target = Pick<Asset, 'tenantId' | 'id' | 'version'>

const input = ({ tenantId, id, version }: Target) => ({ tenantId, assetId: id, version })

export const encoding = (asset: Target): Start => ({
  name: 'encode-asset',
  instanceId: encodeInstanceId(asset.id, asset.version),
  input: input(asset),
})

export const cleaning = (asset: Target): Start => ({
  name: 'encode-clean',
  instanceId: `clean-${asset.id}`,
  input: input(asset),
})

/** One per file: another file under the same title needs another quote. */
export const quoting = ({ tenantId, assetId, etag }: Quoted): Start => ({
  name: 'encode-quote',
  instanceId: `quote-${assetId}-${sha256Hex(etag).slice(0, 16)}`,
  input: { tenantId, assetId, etag },
})

interface Quoted {
  readonly tenantId: string
  readonly assetId: string
  readonly etag: string
}

interface Rekey {
  readonly assetId: string
  readonly version: number
  readonly generation: number
}

/** One per generation: the next one may begin once the title has switched to this one. */
export const rekeying = (target: Rekey): Start => ({
  name: 'protect-rekey',
  instanceId: `rekey-${target.assetId}-v${target.version}.${target.generation}`,
  input: target,
})

export const rewrapping = (): Start => ({ name: 'protect-rewrap', instanceId: 'rewrap', input: {} })

type Errands = Awaited<ReturnType<App['fleet']['watch']>>

/** One per wake of a node, and one per drain. */
export const driving = ({ kind, target }: Errands[number]): Start => ({
  name: `fleet-${kind}`,
  instanceId: `${kind}-${target.node}-${target.epoch}`,
  input: target,
})

/** What can't be started now is found by the next watch: a caller that only asks for workers must not fail for it. */
export async function drive(app: App, orchestrations: Orchestrations, errands: Errands): Promise<void> {
  for (const errand of errands)
    await orchestrations.startOnce(driving(errand)).catch((error: unknown) => {
      const { node } = errand.target
      app.log('error', 'fleet.errand-lost', { node, cause: String(error).slice(0, 200) })
    })
}
