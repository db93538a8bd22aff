// How a definition becomes a trigger: the one place that speaks to the Functions library.
import {
  app as azure,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions'
import * as df from 'durable-functions'
import type { App } from '../shared/app.ts'
import { Problem, problemBody } from '../shared/core/problem.ts'
import { handle } from '../shared/http/handle.ts'
import { type HttpAsk, type HttpReply, routeParams } from '../shared/http/route.ts'
import { whole } from '../shared/http/whole.ts'
import type { Activity, AnyRoute, Definition, Orchestrator, Timer } from './definition.ts'
import { mayBeForged } from './forged.ts'
import { none, orchestrationsOf } from './orchestrations.ts'

export function bind(definition: Definition, app: App): void {
  if (definition.kind === 'http') bindHttp(definition, app)
  else if (definition.kind === 'timer') bindTimer(definition, app)
  else if (definition.kind === 'activity') bindActivity(definition, app)
  else bindOrchestrator(definition)
}

function bindHttp(route: AnyRoute, app: App): void {
  azure.http(route.name, {
    methods: [...route.methods],
    authLevel: 'anonymous', // our own keys decide; the host's are not checked everywhere
    route: route.path,
    ...(route.durable ? { extraInputs: [df.input.durableClient()] } : {}),
    handler: async (request, context) => {
      // Whatever is thrown past the library leaves the client waiting for minutes: nothing may.
      try {
        const orchestrations = route.durable ? orchestrationsOf(context) : none
        const deps = { ...app.http, app, orchestrations }
        return response(await handle(route, deps, ask(route, request, context)))
      } catch (error) {
        app.log('error', 'http.broken', { route: route.name, cause: String(error).slice(0, 200) })
        return response(broken)
      }
    },
  })
}

function ask(route: AnyRoute, request: HttpRequest, context: InvocationContext): HttpAsk {
  const url = new URL(request.url)
  // Where a key authenticates the request, its headers are believed wherever they were written.
  const forged = route.auth === 'none' && mayBeForged(url.searchParams, context.invocationId)
  return {
    id: context.invocationId,
    method: request.method,
    url,
    params: routeParams(route.path, url.pathname, request.params),
    header: (name) => (forged ? null : request.headers.get(name)),
    bytes: (limit) => read(request, limit),
  }
}

async function read(request: HttpRequest, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.body ?? []) {
    size += part.length
    if (size > limit) throw new Problem('too-large', { detail: `A body has at most ${limit} bytes here.` })
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const broken: HttpReply = {
  status: 500,
  headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  body: JSON.stringify(problemBody(new Problem('internal'))),
}

function response(reply: HttpReply): HttpResponseInit {
  const { status, headers, bytes } = whole(reply)
  // Throws here, where it is caught, if a header could not be sent.
  return { status, headers: new Headers(headers), ...(bytes ? { body: bytes } : {}) }
}

function bindTimer(timer: Timer, app: App): void {
  azure.timer(timer.name, {
    schedule: timer.schedule,
    extraInputs: [df.input.durableClient()],
    handler: async (_timer, context) => {
      const { startOnce } = orchestrationsOf(context)
      for (const start of await timer.run(app))
        await startOnce(start).catch((error: unknown) => {
          // The others must not wait for this one; the next tick tries it again.
          app.log('error', 'ops.start-failed', {
            instance: start.instanceId,
            cause: String(error).slice(0, 200),
          })
        })
    },
  })
}

function bindActivity(activity: Activity, app: App): void {
  df.app.activity(activity.name, {
    ...(activity.durable ? { extraInputs: [df.input.durableClient()] } : {}),
    handler: (input: unknown, context: InvocationContext) =>
      activity.run(app, input, activity.durable ? orchestrationsOf(context) : none),
  })
}

function bindOrchestrator(orchestrator: Orchestrator): void {
  df.app.orchestration(orchestrator.name, orchestrator.run)
}
