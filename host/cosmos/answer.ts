// How the Cosmos protocol refuses a request: its codes and its sentences.
import { type Refusal, refusalOf } from '../refusal.ts'

const refusal = (status: number, code: string, message: string): Refusal =>
  refusalOf(message, { status, body: { code, message } })

export const badRequest = (message: string): Refusal => refusal(400, 'BadRequest', message)
export const unauthorized = (message: string): Refusal => refusal(401, 'Unauthorized', message)
export const notFound = (what: string): Refusal => refusal(404, 'NotFound', `There is no such ${what}.`)
export const conflict = (what: string): Refusal =>
  refusal(409, 'Conflict', `There is such a ${what} already.`)
export const tooLarge = (message: string): Refusal => refusal(413, 'RequestEntityTooLarge', message)
export const preconditionFailed = (): Refusal =>
  refusal(412, 'PreconditionFailed', 'The item is not the one that the condition names.')

/** Whatever is not here is refused by name: nothing may pass on this machine that was never tried. */
export const notServed = (what: string): Refusal =>
  refusal(501, 'NotImplemented', `The local Cosmos server does not serve ${what}.`)
