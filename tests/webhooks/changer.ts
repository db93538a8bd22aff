// A process that changes titles one after the other and says each that was acknowledged, until it is killed.
import { systemClock } from '../../shared/core/clock.ts'
import type { TenantId } from '../../shared/core/ids.ts'
import type { CosmosServer } from '../support/cosmos.ts'
import { openStage } from './stage.ts'

const [settings = '{}'] = process.argv.slice(2)
const { server, tenantId } = JSON.parse(settings) as {
  server: CosmosServer
  tenantId: TenantId
}

const stage = openStage(server, { clock: systemClock })
const say = (assetId: string, name: string) => process.stdout.write(`${assetId} ${name}\n`)

/** Left over from a process before this one. */
void stage.webhooks.sweep().catch(() => {})
for (let n = 0; ; n++) {
  const asset = await stage.encoding(tenantId)
  if (n % 3 === 1) {
    await stage.fail(asset)
    say(asset.id, 'asset.failed')
  } else {
    await stage.progress(asset, 50)
    say(asset.id, 'asset.progress')
    await stage.ready(asset)
    say(asset.id, 'asset.ready')
  }
}
