// Assets: the titles of a tenant; list, read, rename, delete, and a short look at the source.
import { AssetView, viewAsset } from '../shared/assets/model.ts'
import { AssetChange, AssetPage, SourceUrl } from '../shared/assets/schema.ts'
import { PageQuery } from '../shared/core/page.ts'
import { http, type StageDefinitions } from './definition.ts'
import { cleaning } from './hand-off.ts'

const assetsList = http({
  name: 'assets-list',
  methods: ['GET'],
  path: 'api/v1/assets',
  auth: 'tenant',
  roles: ['uploader', 'minter', 'statistics'],
  summary: 'Titles, page by page',
  query: PageQuery,
  reply: { 200: AssetPage },
  run: ({ app, tenant, query }) => app.assets.list(tenant.id, query),
})

const assetsRead = http({
  name: 'assets-read',
  methods: ['GET'],
  path: 'api/v1/assets/{assetId}',
  auth: 'tenant',
  roles: ['uploader', 'minter', 'statistics'],
  summary: 'One title, with its progress',
  reply: { 200: AssetView },
  run: async ({ app, tenant, params }) => viewAsset(await app.assets.get(tenant.id, params['assetId'] ?? '')),
})

const assetsRename = http({
  name: 'assets-rename',
  methods: ['PATCH'],
  path: 'api/v1/assets/{assetId}',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'Rename a title',
  body: AssetChange,
  reply: { 200: AssetView },
  run: async ({ app, tenant, params, body }) =>
    viewAsset(await app.assets.rename(tenant.id, params['assetId'] ?? '', body.title)),
})

const assetsDelete = http({
  name: 'assets-delete',
  methods: ['DELETE'],
  path: 'api/v1/assets/{assetId}',
  auth: 'tenant',
  summary: 'Delete a title with everything that belongs to it',
  reply: { 204: null },
  durable: true,
  run: async ({ app, tenant, params, orchestrations }) => {
    const asset = await app.assets.remove(tenant.id, params['assetId'] ?? '')
    await app.encode.control.withdraw(asset)
    // An encode that still runs sees the deletion, stops, and cleans up itself.
    if (asset.state !== 'encoding') await orchestrations.startOnce(cleaning(asset))
  },
})

const assetsSource = http({
  name: 'assets-source-url',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/source-url',
  auth: 'tenant',
  summary: 'A short read URL of the source',
  reply: { 201: SourceUrl },
  run: ({ app, tenant, params }) => app.upload.sourceUrl(tenant.id, params['assetId'] ?? ''),
})

export const assets: StageDefinitions = {
  servedBy: 'api',
  definitions: [assetsList, assetsRead, assetsRename, assetsDelete, assetsSource],
}
