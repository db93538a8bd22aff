// The route of everything below `play/`, which the Functions app and the fleet's edges serve alike.
import type { Client } from '../core/client.ts'
import { asIs, type HttpReply, type Route } from './route.ts'

type ReadHeader = (name: string) => string | null

/** What it needs of whoever serves it. */
export interface PlayApp {
  readonly deliver: {
    answer(request: {
      readonly method: string
      readonly token: string
      readonly path: string
      readonly header: ReadHeader
      readonly client: Client
      readonly origin: string
    }): Promise<HttpReply>
  }
  clientOf(header: ReadHeader): Client
}

export const play: Route<PlayApp> = {
  kind: 'http',
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
}
