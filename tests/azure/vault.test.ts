// The key encryption key: in a vault that asks for a token, and in a file that several processes may make at once.
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import dns from 'node:dns'
import { once } from 'node:events'
import { appendFile, chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
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

  test('whoever asks which version is the newest looks it up anew, and wraps with it from then on', async () => {
    const kek = open()
    const old = await kek.wrap(plain)
    expect(await kek.currentId()).toBe(old.kekId)
    server.rotate('kek')
    expect((await kek.wrap(plain)).kekId).toBe(old.kekId)
    const newest = await kek.currentId()
    expect(newest).not.toBe(old.kekId)
    expect((await kek.wrap(plain)).kekId).toBe(newest)
    server.disableOlder('kek')
    await expect(open().unwrap(old.kekId, old.wrapped)).rejects.toMatchObject({ statusCode: 403 })
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
    const code = `const { createKeyFile } = await import(${JSON.stringify(module)})
      const file = await createKeyFile(${JSON.stringify(join(folder, 'raced/kek.pem'))})()
      process.stdout.write(file.current.kekId)`
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

  /** `openssl genrsa 3072 >> kek.pem`, as the documentation has it. */
  const appendKey = async (name: string, bits = 3072) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    await appendFile(join(folder, name), pem)
    return pem
  }

  test('a key that is appended is the current one from the next use on; the others still unwrap', async () => {
    const kek = open('grown.pem')
    const first = await kek.wrap(plain)
    await appendKey('grown.pem')
    const second = await kek.wrap(plain)
    expect(second.kekId).not.toBe(first.kekId)
    expect(await kek.currentId()).toBe(second.kekId)
    await appendKey('grown.pem', 2048)
    expect(await kek.currentId()).not.toBe(second.kekId)
    for (const one of [kek, open('grown.pem')])
      for (const { kekId, wrapped } of [first, second])
        expect(Buffer.from(await one.unwrap(kekId, wrapped))).toEqual(plain)
  })

  test('a key that was taken away too early is named, by those that run and by those that start', async () => {
    const kek = open('cut.pem')
    const first = await kek.wrap(plain)
    const text = await readFile(join(folder, 'cut.pem'), 'utf8')
    const second = await appendKey('cut.pem')
    expect(Buffer.from(await kek.unwrap(first.kekId, first.wrapped))).toEqual(plain)
    await writeFile(join(folder, 'cut.pem'), second)
    for (const one of [kek, open('cut.pem')]) {
      const told = await one.unwrap(first.kekId, first.wrapped).catch((error: Error) => error)
      expect(String(told)).toContain(
        `this was wrapped by ${first.kekId}: put that key back, before the others`,
      )
    }
    await writeFile(join(folder, 'cut.pem'), text + second)
    expect(Buffer.from(await kek.unwrap(first.kekId, first.wrapped))).toEqual(plain)
  })

  test('while a key is being appended the others serve; a start finds the half of it and says so', async () => {
    const kek = open('half.pem')
    const { kekId, wrapped } = await kek.wrap(plain)
    const before = await readFile(join(folder, 'half.pem'), 'utf8')
    const pem = await appendKey('half.pem')
    await writeFile(join(folder, 'half.pem'), before + pem.slice(0, 700))
    expect((await kek.wrap(plain)).kekId).toBe(kekId)
    expect(await kek.unwrap(kekId, wrapped)).toHaveLength(plain.length)
    await expect(open('half.pem').wrap(plain)).rejects.toThrow('ends in the middle of a key')
    await writeFile(join(folder, 'half.pem'), before + pem)
    expect((await kek.wrap(plain)).kekId).not.toBe(kekId)
  })

  test('a file that is lost while it is needed is asked for, and none is made in its place', async () => {
    const kek = open('lost.pem')
    const { kekId, wrapped } = await kek.wrap(plain)
    await rename(join(folder, 'lost.pem'), join(folder, 'found.pem'))
    await expect(kek.unwrap(kekId, wrapped)).rejects.toThrow('is gone: restore it')
    await rename(join(folder, 'found.pem'), join(folder, 'lost.pem'))
    expect(await kek.unwrap(kekId, wrapped)).toHaveLength(plain.length)
  })

  test('a key that is too short, or not RSA, is refused beside good ones', async () => {
    const kek = open('mixed.pem')
    const { kekId } = await kek.wrap(plain)
    const good = await readFile(join(folder, 'mixed.pem'), 'utf8')
    await appendKey('mixed.pem', 1024)
    await expect(kek.wrap(plain)).rejects.toThrow('less than 2048 bits')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await writeFile(join(folder, 'mixed.pem'), good + privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await expect(kek.wrap(plain)).rejects.toThrow('not RSA')
    await writeFile(join(folder, 'mixed.pem'), good)
    expect((await kek.wrap(plain)).kekId).toBe(kekId)
  })

  test('a file that others can read, or that is no key, is refused and left as it is', async () => {
    const kek = open('open.pem')
    const { kekId, wrapped } = await kek.wrap(plain)
    expect(await open('open.pem').unwrap(kekId, wrapped)).toHaveLength(plain.length)
    await chmod(join(folder, 'open.pem'), 0o644)
    for (const one of [kek, open('open.pem')]) await expect(one.wrap(plain)).rejects.toThrow('chmod 600')
    await writeFile(join(folder, 'broken.pem'), 'half a k', { mode: 0o600 })
    await expect(open('broken.pem').wrap(plain)).rejects.toThrow('does not hold a private key')
    expect(await readFile(join(folder, 'broken.pem'), 'utf8')).toBe('half a k')
  })
})
