// Encode, as a tenant controls it: encode a title anew, cancel what is under way.
import { EncodeCancelled, EncodeRequest, EncodeStarted } from '../shared/encode/schema.ts'
import { http, type StageDefinitions } from './definition.ts'
import { encoding } from './hand-off.ts'

const encodeStart = http({
  name: 'encode-start',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/encode',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'Encode a title anew while it plays; the new version takes over once it is whole',
  body: EncodeRequest,
  reply: { 202: EncodeStarted },
  durable: true,
  run: async ({ app, tenant, params, orchestrations }) => {
    const asset = await app.encode.control.reencode(tenant.id, params['assetId'] ?? '')
    await orchestrations.startOnce(encoding(asset))
    return { assetId: asset.id, version: asset.version }
  },
})

const encodeCancel = http({
  name: 'encode-cancel',
  methods: ['POST'],
  path: 'api/v1/assets/{assetId}/cancel',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'Cancel the encode under way; a title that plays goes on as it is',
  reply: { 202: EncodeCancelled },
  run: async ({ app, tenant, params }) => {
    const { id, state } = await app.encode.control.cancel(tenant.id, params['assetId'] ?? '')
    return { assetId: id, state }
  },
})

export const encodeControl: StageDefinitions = {
  servedBy: 'api',
  definitions: [encodeStart, encodeCancel],
}
