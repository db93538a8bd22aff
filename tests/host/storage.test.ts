// What storage has acknowledged outlives the kill of its process, at any moment; its key is its own.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { seeded } from '../support/seeded.ts'
import { endAllParts, type PartProcess, startPart } from './part-process.ts'

const KILLS = Number(process.env['KILLS'] ?? 20)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

const folders: string[] = []
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'movidone-storage-'))
  folders.push(directory)
})
afterAll(() => {
  endAllParts()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** At a port of its own each time: the one of before may be another's meanwhile. */
const start = (): Promise<PartProcess> => startPart('host/storage/child.ts', '--directory', directory)

const containerOf = (
  port: number,
  key = readFileSync(join(directory, 'account-key'), 'utf8'),
): ContainerClient =>
  new BlobServiceClient(
    `http://127.0.0.1:${port}/movidone`,
    new StorageSharedKeyCredential('movidone', key),
    { retryOptions: { maxTries: 1 } },
  ).getContainerClient('media')

const bytesOf = (seed: number, sizeBytes: number): Buffer => {
  const random = seeded(seed)
  return Buffer.from(Array.from({ length: sizeBytes }, () => Math.floor(random() * 256)))
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('storage', () => {
  it(`has every acknowledged blob after ${KILLS} kills straight after an answer (SEED=${SEED})`, async () => {
    const random = seeded(SEED)
    const acknowledged = new Map<string, string>()
    const deleted = new Set<string>()
    let promised = 0
    let part = await start()
    await containerOf(part.port).create()

    for (let round = 0; round < KILLS; round++) {
      const container = containerOf(part.port)
      const write = async (name: string): Promise<void> => {
        const bytes = bytesOf(SEED + round, 1 + Math.floor(random() * 20_000))
        const blob = container.getBlockBlobClient(name)
        if (random() < 0.5) await blob.uploadData(bytes)
        else {
          await blob.stageBlock('AAAA', bytes, bytes.length)
          await blob.commitBlockList(['AAAA'])
        }
        acknowledged.set(name, hash(bytes))
        promised++
      }
      const remove = async (name: string): Promise<void> => {
        acknowledged.delete(name)
        await container.deleteBlob(name)
        deleted.add(name)
      }
      const count = 1 + Math.floor(random() * 6)
      const writes = Array.from({ length: count }, (_, n) => write(`${round}/${n}`))
      const victim = [...acknowledged.keys()][0]
      if (victim && random() < 0.4) writes.push(remove(victim))
      // Either straight after the last answer, or in the middle of them: those that fail were never promised.
      const settled = Promise.allSettled(writes)
      await Promise.race([settled, ...(round % 2 === 0 ? [] : [sleep(random() * 30)])])
      await part.end('SIGKILL')
      await settled

      part = await start()
      const after = containerOf(part.port)
      for (const [name, sha256] of acknowledged) {
        const bytes = await after.getBlobClient(name).downloadToBuffer()
        expect(hash(bytes), `SEED=${SEED} round ${round}: ${name}`).toBe(sha256)
      }
      for (const name of deleted) {
        expect(await after.getBlobClient(name).exists(), `SEED=${SEED} round ${round}: ${name}`).toBe(false)
      }
    }
    expect(promised).toBeGreaterThanOrEqual(KILLS / 2)
    await part.end('SIGTERM')
  })

  it('goes on with a block list that was begun before a kill', async () => {
    const part = await start()
    const container = containerOf(part.port)
    await container.create()
    await container.getBlockBlobClient('long').stageBlock('AAAA', 'first,', 6)
    await part.end('SIGKILL')

    const again = await start()
    const blob = containerOf(again.port).getBlockBlobClient('long')
    const { uncommittedBlocks } = await blob.getBlockList('uncommitted')
    expect(uncommittedBlocks).toEqual([{ name: 'AAAA', size: 6 }])
    await blob.stageBlock('AAAB', 'second', 6)
    await blob.commitBlockList(['AAAA', 'AAAB'])
    expect((await blob.downloadToBuffer()).toString()).toBe('first,second')
    await again.end('SIGTERM')
  })

  it('has a key of its own, in a file for its owner alone, the same over restarts', async () => {
    const part = await start()
    await containerOf(part.port).create()
    const file = join(directory, 'account-key')
    const key = readFileSync(file, 'utf8')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const wellKnown = Buffer.alloc(64, 7).toString('base64')
    await expect(containerOf(part.port, wellKnown).exists()).rejects.toMatchObject({ statusCode: 403 })
    await part.end('SIGTERM')

    const again = await start()
    expect(await containerOf(again.port).exists()).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe(key)
    await again.end('SIGTERM')
  })

  it('ends by itself when its parent is gone', async () => {
    const part = await start()
    expect(await part.orphan()).toBe(0)
  })
})
