// What a SAS of ours allows, and that it allows nothing else: signed by an account key, and by a user delegation key.
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBlobStores } from '../../shared/azure/blob.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { type BlobServer, startBlobs } from '../support/azurite.ts'
import { makeCertificate, trust } from '../support/certificate.ts'
import { createEntra } from '../support/entra.ts'

const entra = createEntra()
const certificate = makeCertificate()
trust(certificate)
afterAll(certificate.remove)

const branches = [
  ['an account key', undefined],
  ['Entra ID', certificate],
] as const

describe.each(branches)('signed by %s', (_name, tls) => {
  let server: BlobServer
  let stores: ReturnType<typeof createBlobStores>
  const blob = 'ten_a/ast_b/source'
  const soon = () => Date.now() + 60_000

  beforeAll(async () => {
    server = await startBlobs(tls)
    const deps = { clock: systemClock, random: systemRandom }
    stores = tls
      ? createBlobStores({ url: server.url }, { ...deps, credential: entra.credential })
      : createBlobStores({ url: server.url, emulator: server }, deps)
  })
  afterAll(() => server?.stop())

  const put = (url: string, body = 'bytes of a film') =>
    fetch(url, { method: 'PUT', body, headers: { 'x-ms-blob-type': 'BlockBlob' } })
  const status = async (answer: Promise<Response>) => (await answer).status
  const refused = async (answer: Promise<Response>) => expect(await status(answer)).toBe(403)
  /** The whole container, by the key: what a URL of ours is compared with. */
  const everything = () => {
    const sas = generateBlobSASQueryParameters(
      {
        containerName: 'sources',
        permissions: ContainerSASPermissions.parse('rcwdl'),
        expiresOn: new Date(soon()),
        version: '2025-11-05',
      },
      new StorageSharedKeyCredential(server.account, server.key),
    )
    return (path: string) => `${server.url}/sources${path}${path.includes('?') ? '&' : '?'}${sas}`
  }

  test('an upload URL creates and writes its blob, whole or in blocks', async () => {
    const url = await stores.sources.uploadUrl(blob, soon())
    expect(url.startsWith(`${server.url}/sources/${blob}?`)).toBe(true)
    const query = new URL(url).searchParams
    expect([query.get('sp'), query.get('sr')]).toEqual(['cw', 'b'])
    expect(query.get('spr')).toBe(tls ? 'https' : 'https,http')
    expect(query.has('skoid')).toBe(tls !== undefined)
    expect(await status(put(url))).toBe(201)
    const id = Buffer.from('0001').toString('base64')
    expect(await status(put(`${url}&comp=block&blockid=${encodeURIComponent(id)}`, 'block'))).toBe(201)
    expect(await stores.sources.blocks(blob)).toEqual([{ id, sizeBytes: 5 }])
    const list = `<?xml version="1.0"?><BlockList><Latest>${id}</Latest></BlockList>`
    expect(await status(fetch(`${url}&comp=blocklist`, { method: 'PUT', body: list }))).toBe(201)
    expect((await stores.sources.facts(blob))?.sizeBytes).toBe(5)
  })

  test('it neither reads, lists, deletes, nor reaches another blob', async () => {
    const url = await stores.sources.uploadUrl(blob, soon())
    const sas = new URL(url).search.slice(1)
    const all = everything()
    expect(await status(put(url))).toBe(201)

    expect(await status(fetch(all(`/${blob}`)))).toBe(200)
    await refused(fetch(url))
    await refused(fetch(url, { method: 'HEAD' }))
    expect(await status(fetch(all(`/${blob}?comp=blocklist`)))).toBe(200)
    await refused(fetch(`${url}&comp=blocklist`))
    expect(await status(fetch(all('?restype=container&comp=list')))).toBe(200)
    await refused(fetch(`${server.url}/sources?restype=container&comp=list&${sas}`))
    expect(await status(put(all('/ten_a/ast_other/source')))).toBe(201)
    await refused(put(`${server.url}/sources/ten_a/ast_other/source?${sas}`))
    await refused(put(`${server.url}/media/${blob}?${sas}`))
    await refused(fetch(url, { method: 'DELETE' }))
    expect((await stores.sources.facts(blob))?.sizeBytes).toBe(15)
    expect(await status(fetch(all(`/${blob}`), { method: 'DELETE' }))).toBe(202)
  })

  test('nothing that it can leave behind survives a removal', async () => {
    const url = await stores.sources.uploadUrl('ten_a/ast_clinging/source', soon())
    const ask = (query: string, headers: Record<string, string> = {}) =>
      fetch(`${url}&${query}`, {
        method: 'PUT',
        headers,
        ...(query.includes('block') ? { body: 'block' } : {}),
      })
    const id = encodeURIComponent(Buffer.from('0001').toString('base64'))
    expect(await status(put(url))).toBe(201)
    expect(await status(ask('comp=snapshot'))).toBe(201)
    expect(await status(ask(`comp=block&blockid=${id}`))).toBe(201)
    const forEver = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1' }
    expect(await status(ask('comp=lease', forEver))).toBe(201)
    const left = async () => {
      const list = await (
        await fetch(everything()('?restype=container&comp=list&include=snapshots,uncommittedblobs'))
      ).text()
      return list.match(/ast_clinging/g)?.length ?? 0
    }
    expect(await left()).toBeGreaterThan(0)
    await stores.sources.remove('ten_a/ast_clinging/source')
    expect(await left()).toBe(0)

    // Announced, begun, never committed.
    expect(await status(ask(`comp=block&blockid=${id}`))).toBe(201)
    expect(await stores.sources.blocks('ten_a/ast_clinging/source')).toHaveLength(1)
    await stores.sources.remove('ten_a/ast_clinging/source')
    expect(await stores.sources.blocks('ten_a/ast_clinging/source')).toEqual([])
    expect(await left()).toBe(0)
  })

  test('a source sent to the archive is said to be there, at once', async () => {
    const url = await stores.sources.uploadUrl('ten_a/ast_archived/source', soon())
    expect(await status(put(url))).toBe(201)
    const { etag } = (await stores.sources.facts('ten_a/ast_archived/source')) ?? { etag: '' }
    const read = () => stores.sources.read('ten_a/ast_archived/source', { offset: 9, count: 6, etag })
    expect(Buffer.from(await read()).toString()).toBe('a film')
    const headers = { 'x-ms-access-tier': 'Archive' }
    expect(await status(fetch(`${url}&comp=tier`, { method: 'PUT', headers }))).toBe(200)
    await expect(read()).rejects.toMatchObject({
      code: 'source-unreadable',
      message: expect.stringContaining('archive'),
    })
  })

  test('a read URL reads its blob and does nothing else', async () => {
    expect(await status(put(await stores.sources.uploadUrl(blob, soon())))).toBe(201)
    const url = await stores.sources.readUrl(blob, soon())
    const answer = await fetch(url, { headers: { range: 'bytes=9-14' } })
    expect([answer.status, await answer.text()]).toEqual([206, 'a film'])
    await refused(put(url))
    await refused(fetch(url, { method: 'DELETE' }))
    await refused(fetch(url.replace('/sources/', '/media/')))
  })

  test('it ends in time, and a fresh one goes on', async () => {
    await refused(put(await stores.sources.uploadUrl(blob, Date.now() - 1000)))
    expect(await status(put(await stores.sources.uploadUrl(blob, soon())))).toBe(201)
  })

  test('whatever is changed in it, it is refused', async () => {
    const url = await stores.sources.uploadUrl(blob, soon())
    expect(await status(put(url))).toBe(201)
    const changes = [...new URL(url).searchParams].map(([name, value]) => {
      const changed = new URL(url)
      if (name === 'sp') changed.searchParams.set(name, 'rcwd')
      else if (name === 'sr') changed.searchParams.set(name, 'c')
      else if (name === 'spr') changed.searchParams.set(name, value === 'https' ? 'https,http' : 'https')
      else if (name === 'sv') changed.searchParams.set(name, '2024-11-04')
      else if (/^(st|se|skt|ske)$/.test(name)) changed.searchParams.set(name, value.replace(/^202\d/, '2031'))
      else
        changed.searchParams.set(
          name,
          value.replace(/[a-zA-Z0-9]/, (c) => (c === 'A' ? 'B' : 'A')),
        )
      expect(changed.href).not.toBe(url)
      return changed.href
    })
    expect(changes.length).toBeGreaterThanOrEqual(6)
    for (const changed of changes) expect([changed, await status(put(changed))]).toEqual([changed, 403])
    expect(await status(put(url))).toBe(201)
  })
})
