// The fleet that a deployment would make, from the committed snapshots: closed machines, the app's plan of them, and nothing secret.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../shared/config/index.ts'
import { settings } from '../shared/config/schema.ts'
import { loadWorkerConfig } from '../shared/config/worker.ts'
import { type Place, placesOf, poolOf } from '../shared/fleet/plan.ts'
import { isExpression, type Resource, readSnapshot } from './support/snapshot.ts'

interface Machine {
  readonly hardwareProfile: { readonly vmSize: string }
  readonly osProfile: { readonly customData: string } & Record<string, unknown>
  readonly storageProfile: { readonly osDisk: Record<string, unknown> }
  readonly userData: string
  readonly priority?: string
}

const known = 'https://known-when-deployed.example'
const text = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')
const machine = ({ properties }: Resource) => properties as unknown as Machine

/** Of `base64(join(createArray('A=1', format('B={0}', …), …), '\n'))`: what stands in each line, whatever is not known yet. */
function environmentOf(userData: string): Record<string, string> {
  expect(userData).toMatch(/^\[base64\(join\(createArray\('.*, ''\), '\n'\)\)\]$/)
  const lines = [
    ...userData.matchAll(/(?<=[(,] ?)'([A-Z_]+)=((?:[^']|'')*)'/g),
    ...userData.matchAll(/format\('\{0\}=\{1\}', '([A-Z_]+)', ()/g),
  ]
  return Object.fromEntries(
    lines.map(([, name = '', value = '']) => [
      name,
      value === '' || value.includes('{0}') ? known : value.replaceAll("''", "'"),
    ]),
  )
}

describe.each(['dev', 'prod'])('the fleet of %s', (size) => {
  const { resources, all, one, token, appSettings } = readSnapshot(size)
  const vms = all('Microsoft.Compute/virtualMachines')
  const group = `/resourceGroups/rg-movidone-${size}-fleet`
  const environments = vms.map((vm) => environmentOf(machine(vm).userData))

  const config = () => {
    const values = Object.entries(appSettings()).map(([name, value]) => [
      name,
      isExpression(value) ? known : value,
    ])
    return loadConfig(Object.fromEntries(values))
  }

  test('is the plan that the app reads: each node a machine of its name, zone and size', () => {
    const { fleet } = config()
    const planned = (fleet?.pools ?? []).flatMap((pool) => placesOf(pool))
    const row = ({ id, group: { size: vmSize, zone } }: Place) => [id, vmSize, zone]
    expect(planned.length).toBeGreaterThan(0)
    expect(vms.map((vm) => [vm.name, machine(vm).hardwareProfile.vmSize, vm.zones?.[0] ?? ''])).toEqual(
      planned.map(row),
    )
    expect(fleet?.arm).toMatchObject({
      subscription: '00000000-0000-0000-0000-000000000001',
      group: `rg-movidone-${size}-fleet`,
    })
    for (const vm of vms) {
      expect(vm.id).toContain(`${group}/`)
      expect(poolOf(vm.name)).toBe(vm.tags?.['pool'])
    }
  })

  test('has budgets that all that may be awake fits into, and zones where viewers need them', () => {
    for (const { maximum, groups, budget, name } of config().fleet?.pools ?? []) {
      const dearest = Math.max(...groups.map(({ pricePerHour }) => pricePerHour))
      expect(maximum * dearest).toBeLessThanOrEqual(budget.perHour)
      const zones = new Set(groups.map(({ zone }) => zone))
      expect([...zones], name).toEqual(size === 'dev' ? [''] : ['1', '2', '3'])
    }
    const spot = vms.filter((vm) => machine(vm).priority === 'Spot').map(({ name }) => name)
    expect(spot).toEqual(size === 'dev' ? ['encoder-s1-1'] : [])
    for (const vm of vms.filter(({ name }) => spot.includes(name)))
      expect(vm.properties).toMatchObject({ evictionPolicy: 'Deallocate', billingProfile: { maxPrice: -1 } })
  })

  test('encodes on machines what is large, and keeps all of their slots busy', () => {
    const { encode, fleet } = config()
    expect(encode.executor).toBe('auto')
    const slots = (fleet?.pools ?? [])
      .filter(({ name }) => name === 'encoder')
      .flatMap(({ groups }) => groups.map(({ count, slots: each }) => count * each))
      .reduce((sum, each) => sum + each, 0)
    expect(encode.window).toBe(Math.max(32, 2 * slots))
  })

  test('tells each machine what the app is told, and who it is', () => {
    const app = appSettings()
    const own = ['NODE_ID', 'FLEET_URL', 'WORKER_URL', 'AZURE_CLIENT_ID', 'FFMPEG_PATH', 'FFPROBE_PATH']
    for (const [n, environment] of environments.entries()) {
      const { name } = vms[n] as Resource
      const edge = name.startsWith('edge-') ? ['EDGE_HOST', 'EDGE_PORT'] : []
      const shared = Object.keys(environment).filter((key) => ![...own, ...edge].includes(key))
      // All but the admin key, and but what proves a proxy: neither is any machine's concern.
      const without = ['ADMIN_KEY_SECRET', 'TRUSTED_PROXY_HOPS', 'PROXY_PROOF', 'COUNTRY_HEADER']
      const wanted = Object.keys(app).filter(
        (key) => key in settings.shape && ![...own, ...without].includes(key),
      )
      expect(shared.sort()).toEqual(wanted.sort())
      for (const key of shared)
        expect(environment[key], key).toBe(isExpression(app[key] ?? '') ? known : app[key])
      expect(Object.keys(environment).sort()).toEqual([...shared, ...own, ...edge].sort())
      expect(environment['NODE_ID']).toBe(name)
    }
  })

  test('gives them settings that the worker accepts', () => {
    for (const environment of environments) {
      expect(loadConfig(environment).fleet).toEqual({
        ...config().fleet,
        arm: { ...config().fleet?.arm, clientId: known },
      })
      expect(loadWorkerConfig({ ...environment, EDGE_HOST: '10.20.0.4' }).node).toBe(environment['NODE_ID'])
    }
  })

  test('writes them as systemd reads them: a quote is a quote, and nothing is escaped', () => {
    for (const value of environments.flatMap((environment) => Object.values(environment)))
      expect(value).toMatch(/^[^\s'"\\][^\n\\]*(?<!\s)$/)
  })

  test('sends each its own role’s identity, and no key', () => {
    for (const vm of vms) {
      expect(vm.identity?.type).toBe('UserAssigned')
      const ids = Object.keys(vm.identity?.userAssignedIdentities ?? {})
      expect(ids.map((id) => id.split('/').at(-1))).toEqual([`id-${token}-${poolOf(vm.name)}`])
      // The client that it signs in as is that same one.
      expect(machine(vm).userData).toContain(`format('AZURE_CLIENT_ID={0}', reference('${ids[0]}'`)
    }
    expect(JSON.stringify(vms)).not.toMatch(/password"|listKeys|AccountKey|sig=|secret/i)
  })

  test('is a machine that nobody logs in to, and that can be deallocated', () => {
    for (const vm of vms) {
      expect(vm.properties).toMatchObject({
        osProfile: {
          computerName: vm.name,
          allowExtensionOperations: false,
          linuxConfiguration: { disablePasswordAuthentication: true },
        },
        securityProfile: {
          securityType: 'TrustedLaunch',
          uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
          encryptionAtHost: true,
        },
        storageProfile: {
          imageReference: { publisher: 'Canonical', offer: 'ubuntu-24_04-lts', sku: 'server' },
          osDisk: {
            createOption: 'FromImage',
            deleteOption: 'Delete',
            managedDisk: { storageAccountType: 'StandardSSD_LRS' },
          },
        },
      })
      expect(machine(vm).osProfile).not.toHaveProperty('adminPassword')
      // A disk on the host itself is lost when a machine is deallocated, so Azure refuses that.
      expect(machine(vm).storageProfile.osDisk).not.toHaveProperty('diffDiskSettings')
    }
  })

  test('is reached by nobody but at the port of edges, from inside', () => {
    const cards = all('Microsoft.Network/networkInterfaces')
    expect(cards.map(({ name }) => name)).toEqual(vms.map(({ name }) => `nic-${name}`))
    const edges = one('Microsoft.Network/applicationSecurityGroups').id
    for (const card of cards) {
      const [only, ...others] = card.properties['ipConfigurations'] as { properties: object }[]
      expect(others).toEqual([])
      expect(only?.properties).not.toHaveProperty('publicIPAddress')
      expect(only?.properties).toMatchObject({
        applicationSecurityGroups: card.name.startsWith('nic-edge-') ? [{ id: edges }] : [],
      })
    }
    const rules = one('Microsoft.Network/networkSecurityGroups').properties['securityRules'] as {
      properties: Record<string, unknown>
    }[]
    expect(
      rules.map(({ properties: p }) =>
        [p['access'], p['direction'], p['sourceAddressPrefix'], p['destinationPortRange']].join(' '),
      ),
    ).toEqual([
      'Allow Inbound AzureLoadBalancer 8080',
      'Allow Inbound VirtualNetwork 8080',
      'Deny Inbound * *',
    ])
    for (const { properties } of rules.slice(0, 2))
      expect(properties).toMatchObject({ destinationApplicationSecurityGroups: [{ id: edges }] })
    for (const environment of environments) expect(environment['EDGE_PORT'] ?? '8080').toBe('8080')
    expect(one('Microsoft.Network/virtualNetworks').properties).toMatchObject({
      subnets: [
        {
          properties: {
            defaultOutboundAccess: false,
            networkSecurityGroup: { id: one('Microsoft.Network/networkSecurityGroups').id },
            natGateway: { id: one('Microsoft.Network/natGateways').id },
          },
        },
      ],
    })
    // The one public address is the gateway's, which lets nothing in.
    expect(one('Microsoft.Network/natGateways').properties['publicIpAddresses']).toEqual([
      { id: one('Microsoft.Network/publicIPAddresses').id },
    ])
  })

  test('is looked at, started and deallocated by the app, and nothing else', () => {
    const role = one('Microsoft.Authorization/roleDefinitions')
    expect(role.properties['permissions']).toEqual([
      {
        actions: [
          'Microsoft.Compute/virtualMachines/read',
          'Microsoft.Compute/virtualMachines/instanceView/read',
          'Microsoft.Compute/virtualMachines/start/action',
          'Microsoft.Compute/virtualMachines/deallocate/action',
        ],
        notActions: [],
        dataActions: [],
        notDataActions: [],
      },
    ])
    expect(role.properties['assignableScopes']).toEqual([
      `/subscriptions/00000000-0000-0000-0000-000000000001${group}`,
    ])
    // And what that scope holds: machines, their disks' and cards' network, and no store of anything.
    const types = new Set(resources.filter(({ id }) => id.includes(`${group}/`)).map(({ type }) => type))
    expect([...types].filter((type) => !/^Microsoft\.(Network|Authorization)\//.test(type))).toEqual([
      'Microsoft.Compute/virtualMachines',
    ])
  })

  test('is installed by a text that is the same for all', () => {
    expect(new Set(vms.map((vm) => machine(vm).osProfile.customData)).size).toBe(1)
    const [vm] = vms as [Resource]
    const written = Buffer.from(machine(vm).osProfile.customData, 'base64').toString()
    const script = Buffer.from(text('infra/node/fetch.sh')).toString('base64')
    expect(written).toBe(text('infra/node/cloud-init.yaml').replace('__FETCH__', script))
    // Azure refuses to change it on a machine that exists (PropertyChangeNotAllowed), and the whole deployment fails:
    // whoever changes this line deletes the machines first, as docs/7-fleet-azure.md says.
    expect(createHash('sha256').update(written).digest('hex')).toBe(
      '256823f9901525e4780c2a3ff1a265cb3704cd9a3df9f8b6a5268e1cff56f6bb',
    )
    expect(written.length).toBeLessThan(65_536)
  })
})
