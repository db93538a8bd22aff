// Where a Functions host takes headers from besides the headers: a query that asks for it, or a body; both doors ask here.
import type { IncomingHttpHeaders } from 'node:http'

/** The host does not mind how it is written. */
export const setsHeaders = (query: URLSearchParams): boolean =>
  [...query.keys()].some((key) => key.toLowerCase() === 'headers')

export const hasBody = ({
  'content-length': length = '0',
  'transfer-encoding': coding,
}: IncomingHttpHeaders): boolean => length !== '0' || coding !== undefined
