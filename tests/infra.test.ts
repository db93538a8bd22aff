// What a deployment would make, read from the committed snapshots: no keys, least privilege, the right stores and settings.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localOnly, platformOnly, settings } from '../shared/config/schema.ts'
import { isExpression, readSnapshot } from './support/snapshot.ts'

const root = join(import.meta.dirname, '..')
const text = (path: string) => readFileSync(join(root, path), 'utf8')
const bicepFiles = globSync('infra/**/*.bicep', { cwd: root })
const stores = JSON.parse(text('infra/stores.json')) as {
  cosmos: {
    database: string
    containers: { name: string; key?: string; keys?: string[]; ttlSeconds?: number }[]
  }
  blobs: string[]
}

const grants = [
  'administrator | Key Vault Secrets User | vaults/kv/secrets/admin-key',
  'administrator | Storage Blob Data Contributor | storageAccounts/sthost/worker',
  'app | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos',
  'app | Key Vault Crypto Service Encryption User | vaults/kv/keys/kek',
  'app | Key Vault Secrets User | vaults/kv/secrets/admin-key',
  'app | Monitoring Metrics Publisher | components/appi',
  'app | Movidone fleet power | the fleet’s group',
  'app | Storage Blob Data Contributor | storageAccounts/stmedia',
  'app | Storage Blob Data Owner | storageAccounts/sthost',
  'app | Storage Blob Delegator | storageAccounts/stmedia',
  'app | Storage Queue Data Contributor | storageAccounts/sthost',
  'app | Storage Table Data Contributor | storageAccounts/sthost',
]

const grantsOfNodes = {
  encoder: [
    'encoder | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos/dbs/movidone/colls/assets',
    'encoder | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos/dbs/movidone/colls/fleet',
    'encoder | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos/dbs/movidone/colls/units',
    'encoder | Cosmos DB Built-in Data Reader | databaseAccounts/cosmos/dbs/movidone/colls/keys',
    'encoder | Key Vault Crypto Service Encryption User | vaults/kv/keys/kek',
    'encoder | Storage Blob Data Contributor | storageAccounts/stmedia/media',
    'encoder | Storage Blob Data Reader | storageAccounts/sthost/worker',
    'encoder | Storage Blob Data Reader | storageAccounts/stmedia/sources',
  ],
  edge: [
    'edge | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos/dbs/movidone/colls/assets',
    'edge | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos/dbs/movidone/colls/fleet',
    'edge | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos/dbs/movidone/colls/sessions',
    'edge | Cosmos DB Built-in Data Reader | databaseAccounts/cosmos/dbs/movidone/colls/keys',
    'edge | Cosmos DB Built-in Data Reader | databaseAccounts/cosmos/dbs/movidone/colls/revocations',
    'edge | Cosmos DB Built-in Data Reader | databaseAccounts/cosmos/dbs/movidone/colls/tenants',
    'edge | Key Vault Crypto Service Encryption User | vaults/kv/keys/kek',
    'edge | Storage Blob Data Reader | storageAccounts/sthost/worker',
    'edge | Storage Blob Data Reader | storageAccounts/stmedia/media',
  ],
}

describe.each(['dev', 'prod'])('a deployment of %s', (size) => {
  const { resources, diagnostics, all, one, token, grants: granted, appSettings } = readSnapshot(size)

  test('is expanded whole', () => {
    expect(diagnostics).toEqual([])
    expect(resources.length).toBeGreaterThan(30)
    expect(token).toMatch(/^[a-z0-9]{13}$/)
  })

  test('takes no account key anywhere', () => {
    const accounts = all('Microsoft.Storage/storageAccounts')
    expect(accounts.map(({ name }) => name).sort()).toEqual([`sthost${token}`, `stmedia${token}`])
    for (const { properties } of accounts) {
      expect(properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        supportsHttpsTrafficOnly: true,
        minimumTlsVersion: 'TLS1_2',
      })
    }
    expect(one('Microsoft.DocumentDB/databaseAccounts').properties).toMatchObject({
      disableLocalAuth: true,
      disableKeyBasedMetadataWriteAccess: true,
    })
    expect(one('Microsoft.Insights/components').properties).toMatchObject({ DisableLocalAuth: true })
    expect(one('Microsoft.OperationalInsights/workspaces').properties).toMatchObject({
      features: { disableLocalAuth: true },
    })
    expect(JSON.stringify(resources)).not.toMatch(
      /listKeys|listSecrets|AccountKey=|SharedAccessSignature|sig=/i,
    )
  })

  test('shows nothing to the public but the app, over https', () => {
    const containers = all('Microsoft.Storage/storageAccounts/blobServices/containers')
    expect(containers.map(({ properties }) => properties['publicAccess'])).toEqual(
      containers.map(() => 'None'),
    )
    expect(one('Microsoft.Web/sites').properties).toMatchObject({ httpsOnly: true })
    const [hostCors, mediaCors] = all('Microsoft.Storage/storageAccounts/blobServices').map(
      ({ properties }) => (properties as { cors: { corsRules: Record<string, unknown>[] } }).cors.corsRules,
    )
    expect(hostCors).toEqual([])
    expect(mediaCors).toHaveLength(1)
    expect(mediaCors?.[0]).toMatchObject({ allowedMethods: ['PUT'] })
    expect(mediaCors?.[0]?.['allowedOrigins']).toContain('defaultHostName')
    expect(mediaCors?.[0]?.['allowedOrigins']).not.toContain('*')
  })

  test('grants exactly this', () => {
    const { encoder, edge } = grantsOfNodes
    expect(granted()).toEqual([...grants, ...encoder, ...(size === 'prod' ? edge : [])].sort())
  })

  test('tags all that carries tags, and names the app for azd once', () => {
    const tracked = resources.filter(({ location, type }) => location ?? type.endsWith('resourceGroups'))
    expect(tracked.length).toBeGreaterThan(8)
    for (const { name, tags } of tracked) {
      expect(tags, name).toMatchObject({ 'azd-env-name': size, product: 'movidone' })
    }
    const services = resources.flatMap(({ tags }) => tags?.['azd-service-name'] ?? [])
    expect(services).toEqual(['app'])
    expect(text('azure.yaml')).toMatch(/^services:\n {2}app:\n/m)
  })

  test('has the containers that the local platform has', () => {
    const cosmos = all('Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers').map(
      ({ properties }) => {
        const { id, partitionKey, defaultTtl } = properties['resource'] as {
          id: string
          partitionKey: { kind: string; paths: string[] }
          defaultTtl?: number
        }
        return { id, ...partitionKey, defaultTtl }
      },
    )
    expect(cosmos).toEqual(
      stores.cosmos.containers.map(({ name, key, keys, ttlSeconds }) => ({
        id: name,
        kind: keys ? 'MultiHash' : 'Hash',
        version: 2,
        paths: keys ?? [key],
        defaultTtl: ttlSeconds,
      })),
    )
    const database = one('Microsoft.DocumentDB/databaseAccounts/sqlDatabases')
    expect(database.name).toBe(`cosmos-${token}/${stores.cosmos.database}`)
    const blobs = all('Microsoft.Storage/storageAccounts/blobServices/containers')
    expect(blobs.map(({ name }) => name)).toEqual([
      `sthost${token}/default/packages`,
      `sthost${token}/default/worker`,
      ...stores.blobs.map((name) => `stmedia${token}/default/${name}`),
    ])
  })

  test('pays by the request in dev and scales by itself in prod', () => {
    const account = one('Microsoft.DocumentDB/databaseAccounts').properties
    const { options } = one('Microsoft.DocumentDB/databaseAccounts/sqlDatabases').properties
    expect(account['capabilities']).toEqual(size === 'dev' ? [{ name: 'EnableServerless' }] : [])
    expect(options).toEqual(size === 'dev' ? {} : { autoscaleSettings: { maxThroughput: 4000 } })
  })

  test('runs Node 24 on Flex Consumption, without what Flex refuses', () => {
    expect(one('Microsoft.Web/serverfarms')).toMatchObject({ sku: { name: 'FC1', tier: 'FlexConsumption' } })
    const { siteConfig, functionAppConfig } = one('Microsoft.Web/sites').properties
    expect(Object.keys(siteConfig as object).sort()).toEqual(['http20Enabled', 'minTlsVersion'])
    expect(functionAppConfig).toMatchObject({ runtime: { name: 'node', version: '24' } })
    expect(
      Object.keys(appSettings()).filter((name) => /^(FUNCTIONS|WEBSITE|SCM|ENABLE)_/.test(name)),
    ).toEqual([])
  })

  test('keeps the KEK and the admin key in the vault alone', () => {
    expect(one('Microsoft.KeyVault/vaults').properties).toMatchObject({
      enableRbacAuthorization: true,
      enablePurgeProtection: true,
    })
    expect(one('Microsoft.KeyVault/vaults/keys').properties).toEqual({
      kty: size === 'dev' ? 'RSA' : 'RSA-HSM',
      keySize: 3072,
      keyOps: ['wrapKey', 'unwrapKey'],
      rotationPolicy: {
        lifetimeActions: [{ action: { type: 'rotate' }, trigger: { timeAfterCreate: 'P1Y' } }],
      },
    })
    const secret = one('Microsoft.KeyVault/vaults/secrets')
    expect(secret.name).toMatch(/\/admin-key$/)
    // Both halves stay expressions: no value is known before the deployment, and none afterwards.
    expect(secret.properties['value']).toMatch(/^\[.*newGuid\(\), newGuid\(\)/)
    const elsewhere = resources.filter((resource) => resource !== secret)
    expect(JSON.stringify(elsewhere)).not.toContain('newGuid')
  })

  test('sets what the schema asks for, and what the host reads, and no more', () => {
    const wanted = Object.keys(settings.shape).filter((name) => !localOnly.includes(name))
    expect(Object.keys(appSettings()).sort()).toEqual([...wanted, ...platformOnly].sort())
  })

  test('sets values that the schema accepts', () => {
    const known = Object.entries(appSettings()).map(([name, value]) => [
      name,
      // An empty one counts as absent.
      isExpression(value) ? 'https://known-when-deployed.example' : value || undefined,
    ])
    expect(settings.safeParse(Object.fromEntries(known)).error?.issues ?? []).toEqual([])
  })
})

test('the sample of local settings has every setting of the schema, and the local ones', () => {
  const sample = JSON.parse(text('local.settings.sample.json')) as { Values: Record<string, string> }
  const wanted = new Set([...Object.keys(settings.shape), ...localOnly])
  expect(Object.keys(sample.Values).sort()).toEqual([...wanted].sort())
})

test('an existing admin key survives a deployment, and is never an output', () => {
  const vault = text('infra/modules/vault.bicep')
  expect(vault).toMatch(/@onlyIfNotExists\(\)\nresource adminKey /)
  expect(vault.match(/@secure\(\)\nparam \w+ string = newGuid\(\)/g)).toHaveLength(2)
  const outputs = bicepFiles.flatMap((file) => text(file).match(/^output .*$/gm) ?? [])
  expect(outputs.length).toBeGreaterThan(10)
  expect(outputs.filter((line) => /adminKeyHead|adminKeyTail|properties\.value|listKeys/.test(line))).toEqual(
    [],
  )
})

test('files named access grant and no others, main wires, and two diagnostics are known and silenced', () => {
  const granting = bicepFiles.filter((file) => /roleAssignments@|roleDefinitions@/i.test(text(file)))
  expect(granting.sort()).toEqual([
    'infra/modules/access-fleet.bicep',
    'infra/modules/access-nodes.bicep',
    'infra/modules/access.bicep',
  ])
  // All of them begin in one file.
  const referring = bicepFiles.filter((file) => /'(modules\/)?access-\w+\.bicep'/.test(text(file)))
  expect(referring).toEqual(['infra/modules/access.bicep'])
  const made = text('infra/main.bicep').match(/^resource \w+ '[^@]+/gm) ?? []
  expect(made.map((line) => line.split("'")[1])).toEqual(Array(2).fill('Microsoft.Resources/resourceGroups'))
  const silenced = bicepFiles.flatMap((file) => text(file).match(/#disable-.*$/gm) ?? [])
  expect(silenced).toHaveLength(2)
  for (const file of bicepFiles) expect(text(file).split('\n').length, file).toBeLessThanOrEqual(200)
})
