// The key encryption key: in a vault that asks for a token, and in a file that several processes may make at once.
import { spawn } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createKek, readVaultSecret } from '../../shared/azure/vault.ts'
import { systemClock } from '../../shared/core/clock.ts'
import type { Kek } from '../../shared/protect/ports.ts'
import { makeCertificate, trust } from '../support/certificate.ts'
import { createEntra } from '../support/entra.ts'
import { startVault, type VaultServer } from '../support/vault.ts'

const plain = Buffer.from('sixteen bytes x2sixteen bytes x2')

describe('in Key Vault', () => {
  const host = 'movidone.vault.test'
  const certificate = makeCertificate(host)
  const entra = createEntra()
  const clock = { ...systemClock, now: () => now }
  let now = Date.now()
  let server: VaultServer

  beforeAll(async () => {
    trust(certificate)
    // The name resolves to this machine, as an entry in /etc/hosts would have it; TLS checks it all the same.
    const lookup = dns.lookup
    vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) =>
      Reflect.apply(lookup, dns, [name === host ? '127.0.0.1' : name, ...rest])) as typeof dns.lookup)
    server = await startVault(host, certificate, entra)
    server.rotate('kek')
    server.secrets.set('admin-key', 'the first admin key')
  })
  afterAll(async () => {
    await server?.stop()
    certificate.remove()
    vi.restoreAllMocks()
  })
  const open = (credential = entra.credential): Kek =>
    createKek({ kind: 'vault', url: server.url, name: 'kek' }, { clock, credential })

  test('what is wrapped here is unwrapped there, and only there', async () => {
    const kek = open()
    const before = server.calls.length
    const first = await kek.wrap(plain)
    const second = await kek.wrap(plain)
    expect(server.calls.slice(before)).toEqual(['GET /keys/kek/'])
    expect(first.kekId).toMatch(/^https:\/\/movidone\.vault\.test:\d+\/keys\/kek\/[0-9a-f]{32}$/)
    expect(first.wrapped).toHaveLength(384)
    expect(first.wrapped).not.toEqual(second.wrapped)
    expect(Buffer.from(await kek.unwrap(first.kekId, first.wrapped))).toEqual(plain)
    expect(Buffer.from(await kek.unwrap(second.kekId, second.wrapped))).toEqual(plain)
    const path = new URL(first.kekId).pathname
    expect(server.calls.slice(before + 1)).toEqual([
      `GET ${path}`,
      ...Array(2).fill(`POST ${path}/unwrapkey`),
    ])
    expect(new Set(entra.asked)).toEqual(new Set(['https://vault.test/.default']))
  })

  test('a rotated key is taken up within the hour, and the old one still unwraps', async () => {
    const kek = open()
    const old = await kek.wrap(plain)
    server.rotate('kek')
    expect((await kek.wrap(plain)).kekId).toBe(old.kekId)
    now += 3_600_000
    const fresh = await kek.wrap(plain)
    expect(fresh.kekId).not.toBe(old.kekId)
    for (const { kekId, wrapped } of [old, fresh])
      expect(Buffer.from(await kek.unwrap(kekId, wrapped))).toEqual(plain)
    await expect(kek.unwrap(old.kekId, fresh.wrapped)).rejects.toMatchObject({ statusCode: 400 })
  })

  test('no document sends us to a key that is not ours', async () => {
    const kek = open()
    const { kekId, wrapped } = await kek.wrap(plain)
    expect(await kek.unwrap(kekId, wrapped)).toHaveLength(plain.length)
    const before = server.calls.length
    for (const wrong of [
      kekId.replace('/kek/', '/another/'),
      kekId.replace('movidone.', 'evil.'),
      `https://evil.test/?${kekId}`,
      'file:abc',
    ])
      await expect(kek.unwrap(wrong, wrapped)).rejects.toThrow('is not a version of')
    expect(server.calls.length).toBe(before)
  })

  test('without a token of its Entra ID the vault says nothing', async () => {
    const before = server.calls.length
    await expect(open(createEntra().credential).wrap(plain)).rejects.toMatchObject({ statusCode: 401 })
    const secret = { kind: 'vault', url: server.url, secret: 'admin-key' } as const
    const credential = entra.credential
    expect(await readVaultSecret(secret, { credential })).toBe('the first admin key')
    const stranger = readVaultSecret(secret, { credential: createEntra().credential })
    await expect(stranger).rejects.toMatchObject({ statusCode: 401 })
    const absent = readVaultSecret({ ...secret, secret: 'absent' }, { credential })
    await expect(absent).rejects.toMatchObject({ statusCode: 404 })
    expect(server.calls.slice(before)).toEqual(['GET /secrets/admin-key/', 'GET /secrets/absent/'])
  })
})

describe('in a file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'movidone-kek-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const open = (name: string): Kek =>
    createKek({ kind: 'file', path: join(folder, name) }, { clock: systemClock })

  test('it is made at the first use, private, and stays', async () => {
    const kek = open('new/kek.pem')
    await expect(stat(join(folder, 'new'))).rejects.toThrow('ENOENT')
    const { kekId, wrapped } = await kek.wrap(plain)
    expect(wrapped).toHaveLength(384)
    expect((await stat(join(folder, 'new/kek.pem'))).mode & 0o777).toBe(0o600)
    expect(await readdir(join(folder, 'new'))).toEqual(['kek.pem'])
    const again = open('new/kek.pem')
    expect(Buffer.from(await again.unwrap(kekId, wrapped))).toEqual(plain)
    const spoilt = Buffer.from(wrapped)
    spoilt[100]! ^= 1
    await expect(again.unwrap(kekId, spoilt)).rejects.toThrow()
    await expect(again.unwrap('file:another', wrapped)).rejects.toThrow('this was wrapped by file:another')
  })

  test('of processes that make it at once, all use the same', async () => {
    const module = fileURLToPath(new URL('../../shared/azure/key-file.ts', import.meta.url))
    const code = `const { openKeyFile } = await import(${JSON.stringify(module)})
      process.stdout.write((await openKeyFile(${JSON.stringify(join(folder, 'raced/kek.pem'))})).kekId)`
    const race = async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', code])
      const [said] = await Promise.all([text(child.stdout), once(child, 'exit')])
      return said
    }
    const ids = await Promise.all(Array.from({ length: 4 }, race))
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^file:[\w-]{43}$/)
    expect(await readdir(join(folder, 'raced'))).toEqual(['kek.pem'])
  })

  test('a file that others can read, or that is no key, is refused and left as it is', async () => {
    const { kekId, wrapped } = await open('open.pem').wrap(plain)
    expect(await open('open.pem').unwrap(kekId, wrapped)).toHaveLength(plain.length)
    await chmod(join(folder, 'open.pem'), 0o644)
    await expect(open('open.pem').wrap(plain)).rejects.toThrow('chmod 600')
    await writeFile(join(folder, 'broken.pem'), 'half a k', { mode: 0o600 })
    await expect(open('broken.pem').wrap(plain)).rejects.toThrow('does not hold a private key')
    expect(await readFile(join(folder, 'broken.pem'), 'utf8')).toBe('half a k')
  })
})
