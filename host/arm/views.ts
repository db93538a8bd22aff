// Machines as the resource manager shows them: in lists, a page at a time, and by their state at this moment.
import { badRequest } from './answer.ts'
import type { Machine } from './state.ts'

const time = (ms: number): string => new Date(ms).toISOString()
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export function instanceView({ power, work, failure, changedAtMs }: Machine) {
  const provisioning = work
    ? { code: 'ProvisioningState/updating', level: 'Info', displayStatus: 'Updating' }
    : failure
      ? {
          code: `ProvisioningState/failed/${failure.code}`,
          level: 'Error',
          displayStatus: 'Provisioning failed',
          message: failure.message,
        }
      : { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded' }
  return {
    statuses: [
      { ...provisioning, time: time(changedAtMs) },
      { code: `PowerState/${power}`, level: 'Info', displayStatus: `VM ${power}` },
    ],
  }
}

interface PageOptions {
  readonly subscription: string
  readonly group: string
  readonly pageSize: number
  readonly url: URL
}

/** As it was defined, which says nothing of whether it runs. */
export function page(machines: readonly Machine[], { subscription, group, pageSize, url }: PageOptions) {
  const from = Number(url.searchParams.get('$skiptoken') ?? 0)
  if (!Number.isInteger(from) || from < 0) throw badRequest('InvalidSkipToken', 'The $skiptoken is not one.')
  const value = machines.slice(from, from + pageSize).map(({ name, size, zone, work, failure }) => ({
    id: `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${name}`,
    name,
    type: 'Microsoft.Compute/virtualMachines',
    location: 'local',
    ...(zone ? { zones: [zone] } : {}),
    properties: {
      hardwareProfile: { vmSize: size },
      provisioningState: capital(work ? 'updating' : failure ? 'failed' : 'succeeded'),
    },
  }))
  if (from + pageSize >= machines.length) return { value }
  const next = new URL(url)
  next.searchParams.set('$skiptoken', String(from + pageSize))
  return { value, nextLink: next.href }
}
