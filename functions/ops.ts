// Ops: is it well, what does it offer, and the console's files.
import { z } from 'zod'
import { asIs } from '../shared/http/route.ts'
import { type AnyRoute, http, type StageDefinitions } from './definition.ts'

const healthz = http({
  name: 'ops-healthz',
  methods: ['GET', 'HEAD'],
  path: 'api/healthz',
  auth: 'none',
  summary: 'Ready when every store answers',
  reply: { 200: z.object({ status: z.literal('ok'), version: z.string() }) },
  run: ({ app }) => app.health(),
})

function contract(document: () => unknown): AnyRoute {
  let body: string | undefined
  return http({
    name: 'ops-openapi',
    methods: ['GET', 'HEAD'],
    path: 'api/openapi.json',
    auth: 'none',
    summary: 'This contract',
    reply: { 200: null },
    run: () => {
      // Made once: anybody may ask for it.
      body ??= JSON.stringify(document())
      return asIs({
        status: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' },
        body,
      })
    },
  })
}

const consolePages = http({
  name: 'ops-console',
  methods: ['GET', 'HEAD'],
  path: 'console/{*path}',
  auth: 'none',
  summary: 'The console',
  reply: { 200: null },
  run: ({ app, ask, params }) =>
    asIs(app.pages.file(params['path'] ?? '', ask.url, ask.header('if-none-match'))),
})

/** The contract holds its own route, so it is handed in by whoever knows all of them. */
export const ops = (document: () => unknown): StageDefinitions => ({
  servedBy: 'api',
  definitions: [healthz, contract(document), consolePages],
})
