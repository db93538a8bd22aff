// What a session token costs to make, beside the SAS that Azure's own SDK makes for one blob with a user delegation key.
import { createSecretKey, randomBytes } from 'node:crypto'
import { BlobSASPermissions, generateBlobSASQueryParameters } from '@azure/storage-blob'
import storage from '@azure/storage-blob/package.json' with { type: 'json' }
import { base32 } from '../shared/core/ids.ts'
import { mintToken } from '../shared/protect/session-token.ts'
import { median } from './median.ts'
import type { BenchRow } from './row.ts'

const rounds = 7
const perRound = 4000

const key = { keyId: 'p1', secret: createSecretKey(randomBytes(32)) }
const expiresAtSeconds = Math.floor(Date.now() / 1000) + 3600
const sessionIds = Array.from({ length: 256 }, () => `${base32(randomBytes(16))}-${base32(randomBytes(20))}`)

function token(n: number): number {
  return mintToken({ sessionId: sessionIds[n & 255] ?? '', expiresAtSeconds }, key).length
}

const expiresOn = new Date(expiresAtSeconds * 1000)
const delegation = {
  signedObjectId: '6ee71cd0-9b2c-4d26-8f5c-6b3c7b1a3f10',
  signedTenantId: '0c1a2b3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
  signedStartsOn: new Date(),
  signedExpiresOn: expiresOn,
  signedService: 'b',
  signedVersion: '2025-11-05',
  value: randomBytes(32).toString('base64'),
}

function sas(n: number): number {
  const values = {
    containerName: 'media',
    blobName: `${sessionIds[n & 255]}/v1/segment.m4s`,
    permissions: BlobSASPermissions.parse('r'),
    expiresOn,
    version: '2025-11-05',
  }
  return generateBlobSASQueryParameters(values, delegation, 'media').toString().length
}

function microseconds(make: (n: number) => number): number {
  let made = 0
  const startMs = performance.now()
  for (let n = 0; n < perRound; n++) made += make(n)
  const each = ((performance.now() - startMs) * 1000) / perRound
  if (made < perRound * 50) throw new Error('What was made is too short to be a token.')
  return each
}

/** Rounds of both in turn, so that whatever else the machine does meets both alike. */
export async function benchMint(): Promise<BenchRow[]> {
  const ours: number[] = []
  const peer: number[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(microseconds(token))
    peer.push(microseconds(sas))
  }
  const ratio = median(peer) / median(ours)
  if (ratio < 10) throw new Error(`A session token is only ${ratio.toFixed(1)} times cheaper than a SAS.`)
  const note = `@azure/storage-blob ${storage.version}, user delegation SAS of one blob, in turn in one process`
  return [
    { name: 'session token: mint', value: Number(median(ours).toFixed(2)), unit: 'µs' },
    { name: 'SAS of the SDK: mint', value: Number(median(peer).toFixed(2)), unit: 'µs', note },
    { name: 'SAS / session token', value: Number(ratio.toFixed(1)), unit: '×', note: 'floor 10, goal 14' },
  ]
}
