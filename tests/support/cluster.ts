// Several Functions hosts on the same stores, as instances of one app are, with a title that plays; each may be cut off from Cosmos.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, isStale } from '../../host/platform/build.ts'
import { AssetDocument } from '../../shared/assets/model.ts'
import { createBlobStores } from '../../shared/azure/blob.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createKek } from '../../shared/azure/vault.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { makeId } from '../../shared/core/ids.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { createContentKeys } from '../../shared/protect/content-keys.ts'
import { makeApiKey } from '../../shared/tenants/api-key.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { makeTimeline } from '../deliver/timelines.ts'
import { repository, startApp } from '../host/running-app.ts'
import { startBlobs } from './azurite.ts'
import { startCosmos } from './cosmos.ts'
import { sampleAsset } from './documents.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { asTenant } from './tenant.ts'

export interface ClusterNode {
  readonly url: string
  readonly log: () => string
  /** No request of this node to Cosmos gets an answer any more, or they do again. */
  cut(off: boolean): void
}

export async function startCluster(size: number, env: Record<string, string> = {}) {
  if (isStale(repository)) await build(repository)
  const folder = await mkdtemp(join(tmpdir(), 'movidone-cluster-'))
  const [blobs, cosmos] = await Promise.all([startBlobs(), startCosmos()])
  const tenantId = makeId('ten', systemRandom)
  const apiKey = makeApiKey(tenantId, systemRandom).text
  const kekFile = join(folder, 'kek.pem')

  const pace = { clock: systemClock, random: systemRandom }
  const stores = createCosmosStores(cosmos, {
    ...pace,
    schemas: { asset: AssetDocument, tenant: TenantDocument },
  })
  const kek = createKek({ kind: 'file', path: kekFile }, pace)
  const asset = sampleAsset({
    ...{ tenantId, state: 'ready', timeline: 'cluster/timeline-3.json' },
    progress: { percent: 100, stage: 'done' },
  })
  const target = { tenantId, assetId: asset.id, version: 1, generation: 0 }
  const keyIds = await createContentKeys({ keys: stores.keys, kek, ...pace }).prepare(target, [
    'v720',
    'v360',
  ])
  const drawn = makeTimeline({ audio: false })
  const renditions = drawn.renditions.map((each) => ({ ...each, keyId: keyIds[each.name] ?? '' }))
  const { media } = createBlobStores({ url: blobs.url, emulator: blobs }, pace)
  await media.putOnce(
    'cluster/timeline-3.json',
    json({ ...drawn, assetId: asset.id, renditions }),
    'application/json',
  )
  for (const { init, segments } of renditions)
    for (const { blob, sizeBytes } of [init, ...segments])
      await media.putOnce(blob, Buffer.alloc(sizeBytes, blob), 'video/mp4')
  await stores.assets.create(asset)

  const settings = {
    STAGES: 'api,deliver',
    BLOB_URL: blobs.url,
    BLOB_ACCOUNT: blobs.account,
    BLOB_KEY: blobs.key,
    COSMOS_KEY: cosmos.key,
    COSMOS_DATABASE: cosmos.database,
    KEK_FILE: kekFile,
    ADMIN_KEY: 'admin-of-a-cluster-of-tests',
    LOCAL_TENANT_ID: tenantId,
    LOCAL_TENANT_KEY: apiKey,
    TENANT_REQUESTS_PER_SECOND: '1000',
    REFUSALS_PER_SECOND: '1000',
    ...env,
  }
  const started = await Promise.all(
    Array.from({ length: size }, async (_, n) => {
      let off = false
      const proxy = await startFaultProxy(cosmos.endpoint, () => (off ? 'hang' : undefined))
      const app = await startApp(repository, {
        env: { ...settings, COSMOS_ENDPOINT: proxy.origin },
        state: join(folder, `node-${n}`),
      })
      const url = `http://127.0.0.1:${app.port}`
      while (!(await fetch(`${url}/api/healthz`)).ok) await systemClock.wait(100)
      const cut = (now: boolean) => {
        off = now
      }
      return { node: { url, log: app.log, cut } satisfies ClusterNode, app, proxy }
    }),
  )
  const nodes = started.map(({ node }) => node)
  return {
    nodes,
    tenantId,
    assetId: asset.id,
    stores,
    cosmos,
    /** What any other process of the same app is told. */
    settings: { ...settings, COSMOS_ENDPOINT: cosmos.endpoint },
    tenant: asTenant(nodes[0]?.url ?? '', apiKey),
    async stop() {
      await Promise.all(started.map(({ app }) => app.stop()))
      await Promise.all(started.map(({ proxy }) => proxy.stop()))
      await Promise.all([blobs.stop(), cosmos.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type Cluster = Awaited<ReturnType<typeof startCluster>>

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
