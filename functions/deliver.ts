// Deliver: one function owns everything below `play/`: manifests, segments, keys and images, for those with a token or a grant.
import { asIs } from '../shared/http/route.ts'
import { http, type StageDefinitions } from './definition.ts'

const play = http({
  name: 'deliver-play',
  methods: ['GET', 'HEAD', 'OPTIONS'],
  path: 'api/v1/play/{token}/{*path}',
  auth: 'none',
  summary: 'Manifests, segments, keys and images of one session (ranges as RFC 9110)',
  // A refusal tells nothing of any title, so a player on any site may read it, and knows it from a lost connection.
  problemHeaders: { 'access-control-allow-origin': '*', 'referrer-policy': 'no-referrer' },
  reply: { 200: null, 206: null, 302: null, 304: null, 403: null, 416: null, 429: null },
  run: async ({ app, ask, params, origin }) =>
    asIs(
      await app.deliver.answer({
        method: ask.method,
        token: params['token'] ?? '',
        path: params['path'] ?? '',
        header: ask.header,
        client: app.clientOf(ask.header),
        origin,
      }),
    ),
})

export const deliver: StageDefinitions = { servedBy: 'deliver', definitions: [play] }
