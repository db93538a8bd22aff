// Settings: right ones become a configuration, wrong ones are all named at once, and nothing starts with them.
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../shared/config/index.ts'
import { loadWorkerConfig } from '../../shared/config/worker.ts'

const azure = {
  BLOB_URL: 'https://media.blob.core.windows.net/',
  COSMOS_ENDPOINT: 'https://data.documents.azure.com/',
  VAULT_URL: 'https://keys.vault.azure.net/',
  AZURE_CLIENT_ID: 'client',
}
const local = {
  BLOB_URL: 'http://127.0.0.1:10000/movidone',
  BLOB_ACCOUNT: 'movidone',
  BLOB_KEY: 'a2V5',
  COSMOS_ENDPOINT: 'http://127.0.0.1:8081/',
  COSMOS_KEY: 'a2V5',
  KEK_FILE: '/state/kek.pem',
  ADMIN_KEY: 'an-admin-key-of-enough-length',
}

test('in Azure nothing but identities', () => {
  const config = loadConfig(azure)
  expect(config.blob).toEqual({ url: 'https://media.blob.core.windows.net', clientId: 'client' })
  expect(config.kek).toMatchObject({ kind: 'vault', name: 'kek' })
  expect(config.adminKey).toMatchObject({ kind: 'vault', secret: 'admin-key' })
  expect([...config.stages]).toEqual(['api', 'orchestrate', 'encode', 'deliver'])
})

test('on one machine keys and files', () => {
  const config = loadConfig({ ...local, STAGES: 'api, deliver', UPLOAD_IDLE_HOURS: '0.5' })
  expect(config.blob.emulator).toEqual({ account: 'movidone', key: 'a2V5' })
  expect(config.kek).toEqual({ kind: 'file', path: '/state/kek.pem' })
  expect([...config.stages]).toEqual(['api', 'deliver'])
  expect(config.upload.idleMs).toBe(1_800_000)
})

test('a proxy proves itself by a header', () => {
  const { proxy } = loadConfig({
    ...local,
    TRUSTED_PROXY_HOPS: '2',
    PROXY_PROOF: 'X-Azure-FDID=an=id',
    COUNTRY_HEADER: 'X-Country',
  })
  expect(proxy).toEqual({
    hops: 2,
    proof: { header: 'x-azure-fdid', value: 'an=id' },
    countryHeader: 'x-country',
  })
  expect(loadConfig(local).proxy).toEqual({ hops: 1, proof: undefined, countryHeader: undefined })
})

test('webhooks go to this machine only where that is said, and never in Azure', () => {
  expect(loadConfig({ ...local, WEBHOOK_ALLOW_LOCAL: 'true' }).webhooks.allowLocal).toBe(true)
  for (const env of [local, azure, { ...azure, WEBHOOK_ALLOW_LOCAL: 'false' }])
    expect(loadConfig(env).webhooks.allowLocal).toBe(false)
})

test('who encodes: the app, unless the fleet is named', () => {
  expect(loadConfig(local).encode).toMatchObject({ executor: 'function', claimMs: 30_000 })
  const fleet = { ...local, ENCODE_EXECUTOR: 'fleet' }
  expect(loadConfig(fleet).encode.executor).toBe('fleet')
})

describe('a worker', () => {
  const env = { NODE_ID: 'edge-z1-12', FLEET_URL: 'http://127.0.0.1:7071/' }

  test('is what the name of its machine says', () => {
    const edge = { host: '127.0.0.1', port: 0, url: undefined, quietMs: 15_000 }
    expect(loadWorkerConfig(env)).toEqual({
      ...{ node: 'edge-z1-12', role: 'edge', fleetUrl: 'http://127.0.0.1:7071', edge },
    })
    expect(loadWorkerConfig({ ...env, NODE_ID: 'encoder-local-1' }).role).toBe('encoder')
    const more = { EDGE_HOST: '0.0.0.0', EDGE_PORT: '8080', EDGE_URL: 'https://edge.example.com/' }
    expect(loadWorkerConfig({ ...env, ...more, EDGE_QUIET_SECONDS: '0' }).edge).toEqual({
      ...{ host: '0.0.0.0', port: 8080, url: 'https://edge.example.com', quietMs: 0 },
    })
  })

  test.each([
    'sfu-z1-1',
    'ingest-z1-1',
    'encoder',
    'encoder-z1',
    'encoder-z1-0',
    'Encoder-z1-1',
    'encoder-Z1-1',
    '..',
    '',
  ])('is not called %j, and is told how it could be', (id) => {
    expect(() => loadWorkerConfig({ ...env, NODE_ID: id })).toThrow(/NODE_ID|encoder-<group>-<n>/)
  })
})

test('an empty setting is one that is not there', () => {
  expect(loadConfig({ ...local, VAULT_URL: '', PUBLIC_URL: '' }).publicUrl).toBeUndefined()
})

test.each([
  [{}, /BLOB_URL[\s\S]*COSMOS_ENDPOINT|COSMOS_ENDPOINT[\s\S]*BLOB_URL/],
  [{ ...azure, VAULT_URL: undefined }, /KEK_FILE[\s\S]*ADMIN_KEY/],
  [{ ...azure, WEBHOOK_ALLOW_LOCAL: 'true' }, /WEBHOOK_ALLOW_LOCAL is for one machine/],
  [{ ...local, BLOB_KEY: undefined }, /BLOB_ACCOUNT and BLOB_KEY/],
  [{ ...local, VAULT_URL: azure.VAULT_URL }, /only identities/],
  [{ ...azure, LOCAL_TENANT_ID: 'a', LOCAL_TENANT_KEY: 'b' }, /only identities/],
  [{ ...local, ADMIN_KEY: 'short' }, /ADMIN_KEY/],
  [{ ...local, STAGES: 'api,delivery' }, /delivery/],
  [{ ...local, ENCODE_THREADS: '0' }, /ENCODE_THREADS/],
  [{ ...local, COUNTRY_HEADER: 'x-country' }, /COUNTRY_HEADER needs PROXY_PROOF/],
  [{ ...local, PROXY_PROOF: 'x-azure-fdid' }, /PROXY_PROOF/],
  [{ ...local, TRUSTED_PROXY_HOPS: '2' }, /TRUSTED_PROXY_HOPS[\s\S]*PROXY_PROOF/],
])('wrong settings are refused by name: %j', (env, message) => {
  expect(() => loadConfig(env)).toThrow(message)
})
