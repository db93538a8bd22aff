// The local resource manager: answers the few calls of Azure's that the fleet makes, of machines that are processes.
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jsonBody } from '../json-body.ts'
import { endLeftovers } from '../platform/leftovers.ts'
import { type Answer, isRefusal } from '../refusal.ts'
import { badRequest, refusal } from './answer.ts'
import { type ArmClock, systemClock } from './clock.ts'
import { createFaults, type Schedule } from './faults.ts'
import { createMachines, type MachinesDeps, type Planned, type Times } from './machines.ts'
import { route } from './routes.ts'
import { openState } from './state.ts'
import { createThrottle } from './throttle.ts'

export interface ArmOptions {
  readonly directory: string
  readonly port: number
  readonly token: string
  readonly subscription: string
  readonly group: string
  readonly planned: readonly Planned[]
  readonly times: Times
  readonly guestOf: MachinesDeps['guestOf']
  readonly tell: MachinesDeps['tell']
  /** By which the processes of machines are known again after a kill: it stands in their command lines. */
  readonly mark: string
  readonly schedule?: Schedule | undefined
  readonly pageSize?: number
  readonly clock?: ArmClock
  readonly log?: (message: string) => void
}

export interface Arm {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

const bodyOptions = {
  limitBytes: 64 * 1024,
  tooLarge: () => refusal(413, 'RequestEntityTooLarge', 'A request is at most 64 KB.'),
  notJson: () => badRequest('InvalidRequestContent', 'The body is not JSON.'),
}

/** Longer than clients keep a connection that they do not use: none is closed under a request. */
const KEEP_ALIVE_MS = 75_000

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

const send = (response: ServerResponse, { status, body, headers }: Answer): void => {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    ...(text ? { 'content-type': 'application/json; charset=utf-8' } : {}),
    'content-length': Buffer.byteLength(text),
    'x-ms-request-id': randomUUID(),
    ...headers,
  })
  response.end(text)
}

export const startArm = async (options: ArmOptions): Promise<Arm> => {
  const { directory, token, clock = systemClock, log = () => {} } = options
  const state = openState(directory)
  const left = state.machines().flatMap(({ name, pid }) => (pid ? [{ name, pid, port: 0 }] : []))
  // Two workers of one machine at once would be one too many.
  await endLeftovers(options.mark, left)
  const faults = createFaults(options.schedule)
  const machines = createMachines({ ...options, state, faults, clock })
  const throttle = createThrottle(clock.now)
  const expected = hash(`Bearer ${token}`)
  let awayUntilMs = 0
  const away = (seconds: number) => {
    awayUntilMs = clock.now() + seconds * 1000
  }
  const here = { ...options, pageSize: options.pageSize ?? 50, machines, state, faults, throttle, away }

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    try {
      const { method = '', url = '/', headers } = request
      const body = await jsonBody(request, bodyOptions)
      const asked = new URL(url, `http://${headers.host ?? '127.0.0.1'}`)
      if (clock.now() < awayUntilMs && asked.pathname !== '/faults')
        throw refusal(503, 'ServiceUnavailable', 'The resource manager is away.')
      if (!timingSafeEqual(hash(headers.authorization ?? ''), expected))
        throw refusal(401, 'InvalidAuthenticationToken', 'The access token is missing or not valid.', {
          'www-authenticate': 'Bearer',
        })
      return route(here, { method, url: asked, body })
    } catch (error) {
      if (isRefusal(error)) return error.answer
      log(`arm: ${error instanceof Error ? error.stack : error}`)
      return {
        status: 500,
        body: { error: { code: 'InternalServerError', message: 'The local one failed.' } },
      }
    }
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void answer(request).then((ready) => send(response, ready))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  machines.resume()

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await machines.close()
    },
  }
}
