// What a local machine's worker is told: what a VM of a deployment is told, keys where that has an identity, and no more.
import { afterEach, expect, it, vi } from 'vitest'
import { armSpec } from '../../host/platform/arm-part.ts'
import type { LogFile } from '../../host/platform/log-file.ts'
import { startOptions } from '../../host/platform/options.ts'
import { workerEnvironment } from '../../host/platform/worker-environment.ts'
import { loadConfig } from '../../shared/config/index.ts'
import { localOnly, settings } from '../../shared/config/schema.ts'

afterEach(() => vi.unstubAllEnvs())

const every = Object.fromEntries(
  [...Object.keys(settings.shape), ...localOnly].map((name) => [name, `${name} of a test`]),
)

it('is every setting that a VM has, and the keys of the stores', () => {
  const notOfMachines = ['ADMIN_KEY_SECRET', 'TRUSTED_PROXY_HOPS', 'PROXY_PROOF', 'COUNTRY_HEADER']
  const ofIdentities = ['VAULT_URL', 'KEK_NAME', 'AZURE_CLIENT_ID']
  const without = new Set([...localOnly, ...notOfMachines, ...ofIdentities])
  const wanted = Object.keys(settings.shape).filter((name) => !without.has(name))
  const keys = ['BLOB_ACCOUNT', 'BLOB_KEY', 'COSMOS_KEY', 'KEK_FILE']
  expect(Object.keys(workerEnvironment(every)).sort()).toEqual([...wanted, ...keys].sort())
})

it('has nothing of the admin, of tenants, of the resource manager, or of whoever started the platform', () => {
  vi.stubEnv('CLOUD_TOKEN', 'a secret of the caller')
  vi.stubEnv('ENCODE_THREADS', '2')
  const told = {
    ...{ BLOB_URL: 'http://127.0.0.1:1/movidone', BLOB_ACCOUNT: 'movidone', BLOB_KEY: 'a2V5' },
    ...{ COSMOS_ENDPOINT: 'http://127.0.0.1:2/', COSMOS_KEY: 'a2V5', KEK_FILE: '/state/kek.pem' },
    PUBLIC_URL: 'http://127.0.0.1:3',
  }
  const secret = {
    ...{ ADMIN_KEY: 'an-admin-key-of-enough-length', LOCAL_TENANT_ID: 'a', LOCAL_TENANT_KEY: 'b' },
    ...{ FLEET_ARM_URL: 'http://127.0.0.1:4', FLEET_ARM_TOKEN: 'c' },
  }
  const spec = armSpec({
    options: startOptions([], {}, '/project'),
    fleet: { planned: [], schedule: undefined, settings: {} },
    settings: { ...told, ...secret },
    log: {} as LogFile,
    onLine: () => {},
  })
  const { env } = spec(0)
  expect(env).toMatchObject({ ...told, FLEET_URL: told.PUBLIC_URL, ENCODE_THREADS: '2' })
  for (const name of ['CLOUD_TOKEN', ...Object.keys(secret)]) expect(env).not.toHaveProperty(name)
  // And a worker needs no more than that.
  expect(() => loadConfig(env)).toThrow('ADMIN_KEY')
  expect(loadConfig({ ...env, NODE_ID: 'encoder-local-1' }).adminKey).toBeUndefined()
})
