// Who may use the management API: programs on this machine, and others by the key, as in Azure.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const loopback = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])
const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * A program on this machine that speaks to us directly. Not a page in a browser (it sends `Origin`, or a name of its own
 * where DNS was rebound), and not what a proxy on this machine hands on.
 */
export function isLocalProgram({ socket, headers }: IncomingMessage): boolean {
  if (!loopback.has(socket.remoteAddress ?? '')) return false
  if (headers.origin !== undefined || headers['x-forwarded-for'] !== undefined) return false
  return loopbackNames.has((headers.host ?? '').replace(/:\d+$/, '').toLowerCase())
}

/** The header wins over the query, as on the real host. */
export function hasKey({ headers }: IncomingMessage, query: URLSearchParams, key: string): boolean {
  const header = headers['x-functions-key']
  const given = Buffer.from((typeof header === 'string' ? header : query.get('code')) ?? '')
  const wanted = Buffer.from(key)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
