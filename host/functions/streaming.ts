// A request in streaming mode: straight into the library, with an end to every case where the real host hangs.
import { randomUUID } from 'node:crypto'
import type { InvocationResult } from '../contract.ts'
import { streamingMetadata } from './binding-data.ts'
import { type Exchange, forwardedHeaders, type HttpContext, refuseBody } from './exchange.ts'
import { bodyStream, readBody } from './request-body.ts'
import { encodeForwarded } from './request-path.ts'
import { guardResponse } from './response-guard.ts'
import { messageOf } from './startup-error.ts'
import type { StreamInlet } from './stream-inlet.ts'

export async function answerStreaming(
  exchange: Exchange,
  context: HttpContext,
  inlet: StreamInlet,
): Promise<void> {
  const { request, response, target, params, path } = exchange
  const body = await readBody(request, context.bodyLimitBytes)
  if (body.kind === 'aborted') return
  if (body.kind === 'too-large') return refuseBody(request, response)
  const id = randomUUID()
  const headers = forwardedHeaders(request)
  const host = request.headers.host ?? 'localhost'

  const report = (message: string): void => context.log('error', `Function.${target.name}`, message)
  const guard = guardResponse(request, response, {
    idleSeconds: context.idleSeconds,
    headers: context.customHeaders,
    report,
  })
  // A body that the handler left unread would block the next request of this connection.
  response.once('finish', () => request.resume())
  inlet.send(
    {
      url: encodeForwarded(path.path) + path.query,
      method: request.method ?? 'GET',
      headers: {
        ...headers,
        'x-ms-invocation-id': id,
        'x-forwarded-host': host,
        'x-forwarded-proto': 'http',
      },
    },
    bodyStream(request, body, context.bodyLimitBytes),
    response,
  )
  const whole = body.kind === 'whole' ? body.bytes : undefined
  const metadata = streamingMetadata({ params, query: path.query, headers, body: whole })
  const result = await context.invoke(target, { id, trigger: { http: {} }, metadata })
  if (!guard.isComplete()) guard.fail(describe(result, response.hasHeader('x-ms-invocation-id')))
  else if (!result.ok) report(`Failed: ${stackOf(result.error)}`)
}

/** The library answers only when all went well, so whatever is unanswered now would be for 240 s on Azure. */
function describe(result: InvocationResult, started: boolean): string {
  if (result.ok) {
    const what = result.raw === null || result.raw === undefined ? 'nothing' : `a ${typeof result.raw}`
    return `rule 2: the handler returned ${what}; on Azure the client would wait for 240 s. Return a response object`
  }
  // The headers were set, so the response itself was good: its body failed.
  if (started) return `rule 3: the body failed midway: ${stackOf(result.error)}`
  return `rule 2: the handler threw or its response is invalid; on Azure the client would wait for 240 s: ${stackOf(result.error)}`
}

const stackOf = (error: unknown): string => (error instanceof Error && error.stack) || messageOf(error)
