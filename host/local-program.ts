// Which requests come straight from a program on this machine: the host's management pages answer no others.
import type { IncomingMessage } from 'node:http'

const names = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Not a page in a browser (it sends `Origin`, or a name of its own where DNS was rebound), and not what a proxy on this
 * machine hands on.
 */
export function isLocalProgram({ socket, headers }: IncomingMessage): boolean {
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  if (!peer.startsWith('127.') && peer !== '::1') return false
  if (headers.origin !== undefined || headers['x-forwarded-for'] !== undefined) return false
  return names.has((headers.host ?? '').replace(/:\d+$/, '').toLowerCase())
}
