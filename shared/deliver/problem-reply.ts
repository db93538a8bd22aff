// How deliver says no: a problem like everywhere else, but whole, so that a refusal looks the same whatever was wrong.
import { Problem, type ProblemCode, problemBody } from '../core/problem.ts'
import type { ReplyHeaders } from './cors.ts'

export function problemReply(
  code: ProblemCode,
  { detail, headers = {} }: { detail?: string; headers?: ReplyHeaders } = {},
) {
  const problem = new Problem(code, detail === undefined ? {} : { detail })
  const body = Buffer.from(JSON.stringify(problemBody(problem)))
  return {
    status: problem.status,
    headers: {
      ...headers,
      'content-type': 'application/problem+json',
      'content-length': String(body.length),
      'cache-control': 'no-store',
    },
    body,
  }
}
