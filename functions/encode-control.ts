// Encode, as a tenant controls it: ask what it will cost, encode a title anew, cancel what is under way.
import {
  EncodeCancelled,
  EncodeRequest,
  EncodeStarted,
  QuoteAsked,
  QuoteView,
} from '../shared/encode/schema.ts'
import { http, type StageDefinitions } from './definition.ts'
import { encoding, quoting } from './hand-off.ts'

const quoteAsk = http({
  name: 'encode-quote-ask',
  methods: ['POST'],
  path: 'api/v1/uploads/{assetId}/quote',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'Ask what the encode of an uploaded file will be, take and cost',
  reply: { 202: QuoteAsked },
  durable: true,
  run: async ({ app, tenant, params, orchestrations }) => {
    const { state, ...target } = await app.encode.quotes.ask(tenant.id, params['assetId'] ?? '')
    if (state === 'probing') await orchestrations.startOnce(quoting(target))
    return { assetId: target.assetId, state }
  },
})

const quoteRead = http({
  name: 'encode-quote-read',
  methods: ['GET'],
  path: 'api/v1/uploads/{assetId}/quote',
  auth: 'tenant',
  roles: ['uploader'],
  summary: 'What the encode will be, take and cost',
  reply: { 200: QuoteView },
  run: ({ app, tenant, params }) => app.encode.quotes.read(tenant.id, params['assetId'] ?? ''),
})

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
  definitions: [quoteAsk, quoteRead, encodeStart, encodeCancel],
}
