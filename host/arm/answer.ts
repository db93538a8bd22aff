// How the resource manager refuses a request: its codes and its sentences.
import { type Refusal, refusalOf } from '../refusal.ts'

export const refusal = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Refusal => refusalOf(message, { status, body: { error: { code, message } }, headers })

export const badRequest = (code: string, message: string): Refusal => refusal(400, code, message)
export const notFound = (code: string, what: string): Refusal =>
  refusal(404, code, `There is no such ${what}.`)
export const conflict = (code: string, message: string): Refusal => refusal(409, code, message)

/** The services of Compute answer so, and name the bucket that is empty. */
export const tooMany = (retryAfterSeconds: number): Refusal => {
  const message = 'Too many requests have been received for this resource.'
  return refusal(429, 'OperationNotAllowed', message, { 'retry-after': String(retryAfterSeconds) })
}

/** Whatever is not here is refused by name: nothing may pass on this machine that was never tried. */
export const notServed = (what: string): Refusal =>
  refusal(501, 'NotImplemented', `The local resource manager does not serve ${what}.`)
