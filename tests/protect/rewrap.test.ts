// A new KEK takes over: every envelope and the platform's own secret, in a vault and in a file; then the old one may go.
import { generateKeyPairSync } from 'node:crypto'
import dns from 'node:dns'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AssetDocument } from '../../shared/assets/model.ts'
import { type CosmosStores, createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createKek } from '../../shared/azure/vault.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { silentLog } from '../../shared/core/log.ts'
import { Problem } from '../../shared/core/problem.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { createContentKeys } from '../../shared/protect/content-keys.ts'
import { rewrapKeys } from '../../shared/protect/orchestrate.ts'
import { createPlatformSecret } from '../../shared/protect/platform-secret.ts'
import type { Kek, KeyStore, WrappedKeys } from '../../shared/protect/ports.ts'
import { createRewrap } from '../../shared/protect/rewrap.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { makeCertificate, trust } from '../support/certificate.ts'
import { type CosmosServer, startCosmos } from '../support/cosmos.ts'
import { newAssetId, newTenantId } from '../support/documents.ts'
import { createEntra } from '../support/entra.ts'
import { startVault, type VaultServer } from '../support/vault.ts'
import { drive, movableClock } from './rekey-stage.ts'

const pace = { clock: systemClock, random: systemRandom }
const host = 'movidone.vault.test'
const certificate = makeCertificate(host)
const entra = createEntra()
let folder: string
let vault: VaultServer

interface KeyPlace {
  /** A process that starts now. */
  open(): Kek
  rotate(): Promise<void>
  removeOld(): Promise<void>
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'movidone-rewrap-'))
  trust(certificate)
  const lookup = dns.lookup
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) =>
    Reflect.apply(lookup, dns, [name === host ? '127.0.0.1' : name, ...rest])) as typeof dns.lookup)
  vault = await startVault(host, certificate, entra)
})
afterAll(async () => {
  await vault?.stop()
  certificate.remove()
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

const inFile = (): KeyPlace => {
  const path = join(folder, `${newAssetId()}.pem`)
  const appended: string[] = []
  return {
    open: () => createKek({ kind: 'file', path }, pace),
    async rotate() {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
      appended.push(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
      await appendFile(path, appended.at(-1) ?? '')
    },
    removeOld: () => writeFile(path, appended.at(-1) ?? ''),
  }
}
const inVault = (): KeyPlace => {
  const name = newAssetId().replace('_', '-')
  vault.rotate(name)
  const config = { kind: 'vault', url: vault.url, name } as const
  return {
    open: () => createKek(config, { clock: systemClock, credential: entra.credential }),
    rotate: async () => vault.rotate(name),
    removeOld: async () => vault.disableOlder(name),
  }
}

describe.each([
  ['a key file', inFile],
  ['Key Vault', inVault],
])('in %s', (_name, place) => {
  let cosmos: CosmosServer
  let keys: KeyStore
  let kek: KeyPlace
  beforeAll(async () => {
    kek = place()
    cosmos = await startCosmos()
    const schemas = { asset: AssetDocument, tenant: TenantDocument }
    const stores: CosmosStores = createCosmosStores(cosmos, { ...pace, schemas })
    keys = stores.keys
  })
  afterAll(() => cosmos?.stop())

  const titles = Array.from({ length: 5 }, () => ({
    ...{ tenantId: newTenantId(), assetId: newAssetId(), version: 1, generation: 0 },
  }))
  const renditions = ['v720', 'v360', 'audio']
  /** What a process that starts now can do with what is stored. */
  async function opened(): Promise<string[]> {
    const deps = { keys, kek: kek.open(), ...pace }
    const contentKeys = createContentKeys(deps)
    const clear = titles.map(async (title) => {
      const ids = Object.values((await contentKeys.keyIds(title)) ?? {})
      const all = await Promise.all(ids.map((id) => contentKeys.contentKey(title, id)))
      return Buffer.concat(all.map((key) => Buffer.from(key ?? []))).toString('hex')
    })
    const secret = createPlatformSecret(deps)('session-token')
    return Promise.all([...clear, secret.then((bytes) => Buffer.from(bytes).toString('hex'))])
  }
  const documents = () =>
    Promise.all([
      ...titles.map(({ assetId }) => keys.get(assetId, 'v1')),
      keys.get('platform', 'p1'),
    ]) as Promise<WrappedKeys[]>
  const rewrapper = (over: { kek?: Kek; keys?: KeyStore } = {}) =>
    createRewrap({ keys, kek: kek.open(), log: silentLog, ...over })
  const rewrap = (with_ = rewrapper()) => drive(rewrapKeys as never, {}, movableClock(), with_.rewrap)

  test('everything is wrapped anew and nothing else is changed; then the old key may go', async () => {
    const contentKeys = createContentKeys({ keys, kek: kek.open(), ...pace })
    for (const title of titles) await contentKeys.prepare(title, renditions)
    const clear = await opened()
    expect(new Set(clear).size).toBe(6)
    const before = await documents()
    await kek.rotate()
    expect(await rewrapper().outdated()).toMatchObject({ remaining: 6 })

    expect((await rewrap()).output).toEqual({ ok: true, lost: 0 })
    const after = await documents()
    const current = await kek.open().currentId()
    expect(await rewrapper().outdated()).toEqual({ kekId: current, remaining: 0 })
    for (const [n, document] of after.entries()) {
      expect(document.kekId).toBe(current)
      expect(document.kekId).not.toBe(before[n]?.kekId)
      expect(document.wrapped).not.toBe(before[n]?.wrapped)
      expect({ ...document, kekId: '', wrapped: '' }).toEqual({ ...before[n], kekId: '', wrapped: '' })
    }
    await kek.removeOld()
    expect(await opened()).toEqual(clear)
  })

  test('taken away before that, the old key is missed, and its name is told', async () => {
    const clear = await opened()
    const [before] = await documents()
    const told: string[] = []
    const log = (_level: unknown, _event: string, fields: object = {}) => told.push(JSON.stringify(fields))
    await kek.rotate()
    await kek.removeOld()
    await expect(opened()).rejects.toThrow()
    const { output } = await rewrap(createRewrap({ keys, kek: kek.open(), log: log as never }))
    expect(output).toEqual({ ok: false, lost: 6 })
    expect(told.filter((line) => line.includes(titles[0]?.assetId ?? ''))).toHaveLength(1)
    expect(told.join()).toContain(before?.kekId)
    // Nothing was spoilt by trying.
    expect(await documents()).toContainEqual(before)
    expect(clear).toHaveLength(6)
  })
})

describe('on one store', () => {
  let cosmos: CosmosServer
  let keys: KeyStore
  let kek: KeyPlace
  beforeAll(async () => {
    cosmos = await startCosmos()
    const schemas = { asset: AssetDocument, tenant: TenantDocument }
    keys = createCosmosStores(cosmos, { ...pace, schemas }).keys
    kek = inFile()
  })
  afterAll(() => cosmos?.stop())

  async function fill(count: number): Promise<WrappedKeys[]> {
    const { kekId, wrapped } = await kek.open().wrap(Buffer.alloc(16, 7))
    const made = Array.from(
      { length: count },
      (): WrappedKeys => ({
        ...{ id: 'v1', assetId: newAssetId(), type: 'keys', schema: 1, tenantId: newTenantId() },
        ...{ kekId, wrapped: Buffer.from(wrapped).toString('base64') },
        keys: [{ keyId: 'a'.repeat(32), rendition: 'v720' }],
      }),
    )
    for (let n = 0; n < made.length; n += 50) await Promise.all(made.slice(n, n + 50).map(keys.create))
    return made
  }
  const rewrapper = (over: Partial<Parameters<typeof createRewrap>[0]> = {}) =>
    createRewrap({ keys, kek: kek.open(), log: silentLog, ...over })

  test('more than one batch, by two processes at once, one of which is killed; repeated it changes nothing', {
    timeout: 240_000,
  }, async () => {
    const batchSize = 100
    const made = await fill(110)
    await kek.rotate()
    const current = await kek.open().currentId()
    let calls = 0
    const dying: KeyStore = {
      ...keys,
      update: (...ask) => {
        if (++calls > 20) throw new Error('killed')
        return keys.update(...ask)
      },
    }
    const killed = rewrapper({ keys: dying, batchSize }).rewrap()
    const whole = drive(rewrapKeys as never, {}, movableClock(), rewrapper({ batchSize }).rewrap)
    await expect(killed).rejects.toThrow('killed')
    expect((await whole).output).toEqual({ ok: true, lost: 0 })
    const found: Array<WrappedKeys | undefined> = []
    for (let n = 0; n < made.length; n += 50)
      found.push(...(await Promise.all(made.slice(n, n + 50).map(({ assetId }) => keys.get(assetId, 'v1')))))
    expect(found.filter((each) => each?.kekId === current)).toHaveLength(110)
    const one = kek.open()
    for (const each of found.slice(0, 5)) {
      const plain = await one.unwrap(each?.kekId ?? '', Buffer.from(each?.wrapped ?? '', 'base64'))
      expect(Buffer.from(plain)).toEqual(Buffer.alloc(16, 7))
    }
    expect(await rewrapper().rewrap()).toEqual({ found: 0, lost: 0 })
    expect(await Promise.all(made.slice(0, 20).map(({ assetId }) => keys.get(assetId, 'v1')))).toEqual(
      found.slice(0, 20),
    )
    for (let n = 0; n < made.length; n += 50)
      await Promise.all(made.slice(n, n + 50).map(({ assetId }) => keys.removeAll(assetId)))
  })

  test('one that is lost keeps no other back, and a title that goes meanwhile is no trouble', async () => {
    const [lost, gone, good] = (await fill(3)) as [WrappedKeys, WrappedKeys, WrappedKeys]
    await keys.update(lost.assetId, 'v1', (current) => ({ ...current, kekId: 'file:nobody-has-it' }))
    await kek.rotate()
    const removing: KeyStore = {
      ...keys,
      async findWrappedByOther(...ask) {
        const found = await keys.findWrappedByOther(...ask)
        await keys.removeAll(gone.assetId)
        return found
      },
    }
    const { output } = await drive(
      rewrapKeys as never,
      {},
      movableClock(),
      rewrapper({ keys: removing }).rewrap,
    )
    expect(output).toEqual({ ok: false, lost: 1 })
    expect(await keys.get(gone.assetId, 'v1')).toBeUndefined()
    expect((await keys.get(good.assetId, 'v1'))?.kekId).toBe(await kek.open().currentId())
    expect((await keys.get(lost.assetId, 'v1'))?.wrapped).toBe(lost.wrapped)
    await keys.removeAll(lost.assetId)
    await keys.removeAll(good.assetId)
  })

  test('a vault that is away is no loss: the batch fails and is tried again', async () => {
    const [one] = (await fill(1)) as [WrappedKeys]
    await kek.rotate()
    const away: Kek = { ...kek.open(), unwrap: async () => Promise.reject(new Problem('unavailable')) }
    await expect(rewrapper({ kek: away }).rewrap()).rejects.toMatchObject({ code: 'unavailable' })
    expect(await keys.get(one.assetId, 'v1')).toEqual(one)
    expect(await rewrapper().rewrap()).toEqual({ found: 1, lost: 0 })
  })

  test('keys that somebody changes meanwhile are left as they are', async () => {
    const [one] = (await fill(1)) as [WrappedKeys]
    await kek.rotate()
    const other = await kek.open().wrap(Buffer.alloc(16, 9))
    const theirs = { kekId: other.kekId, wrapped: Buffer.from(other.wrapped).toString('base64') }
    const raced: KeyStore = {
      ...keys,
      async update(...ask) {
        await keys.update(one.assetId, 'v1', (current) => ({ ...current, ...theirs }))
        return keys.update(...ask)
      },
    }
    await rewrapper({ keys: raced }).rewrap()
    expect(await keys.get(one.assetId, 'v1')).toEqual({ ...one, ...theirs })
  })
})
