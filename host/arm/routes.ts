// Decides which request is which call of Azure's resource manager, and names those that are not served.
import type { Answer } from '../refusal.ts'
import { badRequest, notFound, notServed, refusal } from './answer.ts'
import { type Faults, isImmediate, orderOf } from './faults.ts'
import type { Machines } from './machines.ts'
import { begun, find, monitorOf, type Operation, statusOf } from './operations.ts'
import type { State } from './state.ts'
import type { Bucket } from './throttle.ts'
import { instanceView, page } from './views.ts'

export interface ArmRequest {
  readonly method: string
  readonly url: URL
  readonly body: unknown
}

export interface Surroundings {
  readonly subscription: string
  readonly group: string
  readonly pageSize: number
  readonly machines: Machines
  readonly state: State
  readonly faults: Faults
  readonly throttle: (bucket: Bucket, machine: string) => void
  readonly away: (seconds: number) => void
}

// Names of resources and of their kinds are the same in capital letters.
const machinePath =
  /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/providers\/microsoft\.compute\/virtualmachines(?:\/([^/]+))?(?:\/([^/]+))?$/i
const operationPath =
  /^\/subscriptions\/([^/]+)\/providers\/microsoft\.compute\/locations\/local\/operations\/([^/]+)$/i

export function route(here: Surroundings, request: ArmRequest): Answer {
  const { method, url } = request
  const { pathname } = url
  if (pathname === '/faults') return faultsOf(here, request)
  const [, subscription = '', group = '', name, action] = machinePath.exec(pathname) ?? []
  const [, ofSubscription = subscription, id] = operationPath.exec(pathname) ?? []
  if (!ofSubscription) throw notServed(`${method} ${pathname}`)
  const version = versionOf(url)
  if (!same(ofSubscription, here.subscription)) throw notFound('SubscriptionNotFound', 'subscription')
  if (id !== undefined) return operationOf(here, request, id)
  if (!same(group, here.group)) throw notFound('ResourceGroupNotFound', 'resource group')
  if (name === undefined) {
    if (method === 'GET') return list(here, url)
    throw notServed(`${method} virtualMachines`)
  }
  const asked = `${method} ${action?.toLowerCase() ?? 'a virtual machine'}`

  const accepted = (operation: Operation) => {
    const base = `${url.origin}/subscriptions/${here.subscription}/providers/Microsoft.Compute`
    return begun(operation, `${base}/locations/local/operations`, version)
  }
  switch (asked) {
    case 'GET instanceview':
      here.throttle('look', name.toLowerCase())
      only(url, [])
      return { status: 200, body: instanceView(here.machines.look(name)) }
    case 'POST start':
      here.throttle('start', name.toLowerCase())
      only(url, [])
      return accepted(here.machines.start(name))
    case 'POST deallocate':
      here.throttle('deallocate', name.toLowerCase())
      only(url, [])
      return accepted(here.machines.deallocate(name))
    default:
      throw notServed(asked)
  }
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

function versionOf({ searchParams }: URL): string {
  const version = searchParams.get('api-version')
  if (version && /^\d{4}-\d\d-\d\d$/.test(version)) return version
  throw badRequest('MissingApiVersionParameter', 'Every request must name an api-version.')
}

/** What is not here, such as `hibernate`, was never tried. */
function only({ searchParams }: URL, names: readonly string[]): void {
  for (const name of searchParams.keys())
    if (name !== 'api-version' && !names.includes(name)) throw notServed(`the parameter ${name}`)
}

function list(here: Surroundings, url: URL): Answer {
  here.throttle('list', '')
  if (url.searchParams.has('$expand') && !url.searchParams.has('$filter'))
    throw badRequest('BadRequest', '$expand can only be specified if a valid $filter option is specified.')
  only(url, ['$skiptoken'])
  return { status: 200, body: page(here.machines.list(), { ...here, url }) }
}

function operationOf({ state }: Surroundings, { method, url }: ArmRequest, id: string): Answer {
  if (method !== 'GET') throw notServed(`${method} of an operation`)
  only(url, ['monitor'])
  const operation = find(state.operations(), id)
  return url.searchParams.has('monitor') ? monitorOf(operation, url.href) : statusOf(operation)
}

/** Not of Azure's: what is to go wrong. */
function faultsOf({ faults, machines, away }: Surroundings, { method, body }: ArmRequest): Answer {
  if (method === 'GET') return { status: 200, body: { value: faults.list() } }
  if (method === 'DELETE') {
    faults.clear()
    return { status: 204 }
  }
  if (method !== 'POST') throw refusal(405, 'MethodNotAllowed', 'Faults are listed, added and cleared.')
  const order = orderOf(body)
  if (!isImmediate(order)) faults.add(order)
  else if (order.kind === 'away') away(order.seconds ?? 10)
  else machines.befall(order.kind, order.vm ?? '')
  return { status: 201, body: order }
}
