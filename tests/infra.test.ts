// What a deployment would make, read from the committed snapshots: no keys, least privilege, the right stores and settings.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localOnly, platformOnly, settings } from '../shared/config/schema.ts'

type Resource = {
  id: string
  type: string
  name: string
  location?: string
  tags?: Record<string, string>
  properties: Record<string, unknown>
}

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

const roleNames: Record<string, string> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': 'Storage Blob Delegator',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  'e147488a-f6f5-4113-8e2d-b22465e65bf6': 'Key Vault Crypto Service Encryption User',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  '00000000-0000-0000-0000-000000000002': 'Cosmos DB Built-in Data Contributor',
}

const grants = [
  'administrator | Key Vault Secrets User | vaults/kv/secrets/admin-key',
  'app | Cosmos DB Built-in Data Contributor | databaseAccounts/cosmos',
  'app | Key Vault Crypto Service Encryption User | vaults/kv/keys/kek',
  'app | Key Vault Secrets User | vaults/kv/secrets/admin-key',
  'app | Monitoring Metrics Publisher | components/appi',
  'app | Storage Blob Data Contributor | storageAccounts/stmedia',
  'app | Storage Blob Data Owner | storageAccounts/sthost',
  'app | Storage Blob Delegator | storageAccounts/stmedia',
  'app | Storage Queue Data Contributor | storageAccounts/sthost',
  'app | Storage Table Data Contributor | storageAccounts/sthost',
]

describe.each(['dev', 'prod'])('a deployment of %s', (size) => {
  const snapshot = JSON.parse(text(`infra/${size}.snapshot.json`)) as {
    predictedResources: Resource[]
    diagnostics: unknown[]
  }
  const resources = snapshot.predictedResources
  const all = (type: string) => resources.filter((resource) => resource.type === type)
  const one = (type: string) => {
    const found = all(type)
    expect(found.map(({ name }) => name)).toHaveLength(1)
    return found[0] as Resource
  }
  const appSettings = () => one('Microsoft.Web/sites/config').properties as Record<string, string>
  // Names end in a token of 13 characters that differs by subscription, environment and region.
  const token = one('Microsoft.ManagedIdentity/userAssignedIdentities').name.replace('id-', '')
  const short = (id: string) =>
    id.replace(/^.*?\/providers\/[^/]+\//, '').replace(new RegExp(`-?${token}(-\\d+)?`), '')

  test('is expanded whole', () => {
    expect(snapshot.diagnostics).toEqual([])
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
    expect(JSON.stringify(snapshot)).not.toMatch(
      /listKeys|listSecrets|AccountKey=|SharedAccessSignature|sig=/i,
    )
  })

  test('shows nothing to the public but the app, over https', () => {
    const containers = all('Microsoft.Storage/storageAccounts/blobServices/containers')
    expect(containers.map(({ properties }) => properties['publicAccess'])).toEqual(['None', 'None', 'None'])
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
    const assignments = resources.filter(({ type }) => /roleassignments$/i.test(type))
    const rows = assignments.map(({ id, properties }) => {
      const principal = properties['principalId'] as string
      const who = principal.includes(`userAssignedIdentities/id-${token}'`)
        ? 'app'
        : principal.replace('00000000-0000-0000-0000-000000000003', 'administrator')
      const role = (properties['roleDefinitionId'] as string).split('/').at(-1) ?? ''
      const scope = id.replace(/\/(providers\/Microsoft\.Authorization\/role|sqlRole)Assignments\/.*$/, '')
      return `${who} | ${roleNames[role] ?? role} | ${short(scope)}`
    })
    expect(rows.sort()).toEqual(grants)
    expect(all('Microsoft.Authorization/roleDefinitions')).toEqual([])
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
      value.startsWith('[') ? 'https://known-when-deployed.example' : value || undefined,
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

test('one file grants, main wires, and two diagnostics are known and silenced', () => {
  const granting = bicepFiles.filter((file) => /roleAssignments@/i.test(text(file)))
  expect(granting).toEqual(['infra/modules/access.bicep'])
  expect(text('infra/main.bicep').match(/^resource .*$/gm)).toHaveLength(1)
  const silenced = bicepFiles.flatMap((file) => text(file).match(/#disable-.*$/gm) ?? [])
  expect(silenced).toHaveLength(2)
  for (const file of bicepFiles) expect(text(file).split('\n').length, file).toBeLessThanOrEqual(200)
})
