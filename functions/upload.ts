// Upload: announce a file, put it straight to storage, complete it; uploads that nobody finishes are cleaned up.
import type { AssetId } from '../shared/core/ids.ts'
import { UploadBlocks, UploadCompleted, UploadRequest, UploadTicket } from '../shared/upload/schema.ts'
import { http, type StageDefinitions, type Timer } from './definition.ts'
import { encoding } from './hand-off.ts'

const uploadCreate = http({
  name: 'upload-create',
  methods: ['POST'],
  path: 'api/v1/uploads',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'Announce a film; the answer holds the URL to put it to',
  body: UploadRequest,
  reply: { 201: UploadTicket },
  run: ({ app, tenant, body, requestHash, random }) =>
    app.upload.open(tenant, { ...body, requestHash }, random),
})

const uploadResume = http({
  name: 'upload-resume',
  methods: ['GET'],
  path: 'api/v1/uploads/{assetId}',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'A fresh upload URL, and the blocks that are there',
  reply: { 200: UploadBlocks },
  run: ({ app, tenant, params }) => app.upload.resume(tenant.id, params['assetId'] as AssetId),
})

const uploadComplete = http({
  name: 'upload-complete',
  methods: ['POST'],
  path: 'api/v1/uploads/{assetId}/complete',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'The file is there: pin it and start encoding',
  reply: { 202: UploadCompleted },
  durable: true,
  run: async ({ app, tenant, params, orchestrations }) => {
    const asset = await app.upload.complete(tenant.id, params['assetId'] as AssetId)
    if (asset.state === 'encoding') await orchestrations.startOnce(encoding(asset))
    return { assetId: asset.id, state: asset.state }
  },
})

const uploadSweep: Timer = {
  kind: 'timer',
  name: 'upload-sweep',
  schedule: '0 * * * * *',
  run: async (app) => {
    // At once and here: there is one blob to delete, and activities may wait behind hours of encoding.
    for (const { tenantId, id, version } of await app.upload.abandonIdle(app.config.upload.idleMs))
      await app.encode.fail({ tenantId, assetId: id, version })
    return []
  },
}

export const upload: StageDefinitions = {
  servedBy: 'api',
  definitions: [uploadCreate, uploadResume, uploadComplete, uploadSweep],
}
