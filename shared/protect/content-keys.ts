// Which content keys a title has: one for each rendition, all of a version in one envelope that only the KEK opens.
import type { Clock } from '../core/clock.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import { createRecent } from '../core/recent.ts'
import { segmentIv } from './iv.ts'
import type { Kek, KeyStore, WrappedKeys } from './ports.ts'
import { sealSegment } from './seal.ts'

/** What RSA-OAEP-256 takes under a 2048-bit KEK: 256 - 2 × 32 - 2 bytes (RFC 8017 7.1.1). */
const envelopeMaxBytes = 190
const keyBytes = 16
/** How long clear keys stay in this process, and of how many versions. */
const clearForMs = 5 * 60_000
const clearVersions = 64

export interface KeyDeps {
  readonly keys: KeyStore
  readonly kek: Kek
  readonly clock: Clock
  readonly random: Random
}

export interface KeyTarget {
  readonly tenantId: TenantId
  readonly assetId: AssetId
  readonly version: number
}

interface ClearKey {
  readonly keyId: string
  readonly rendition: string
  readonly key: Uint8Array
}

const envelopeId = (version: number): string => `v${version}`
const cacheKey = (assetId: AssetId, version: number): string => `${assetId}/${version}`

export function createContentKeys({ keys, kek, clock, random }: KeyDeps) {
  const clear = createRecent<readonly ClearKey[]>({
    clock,
    maxAgeMs: clearForMs,
    maxWeight: clearVersions,
    keep: (found) => found.length > 0,
  })

  async function makeEnvelope(target: KeyTarget, renditions: readonly string[]): Promise<WrappedKeys> {
    const plain = random.bytes(renditions.length * keyBytes)
    if (plain.length > envelopeMaxBytes)
      throw new RangeError(`${renditions.length} keys do not fit one envelope`)
    const { kekId, wrapped } = await kek.wrap(plain)
    return {
      id: envelopeId(target.version),
      assetId: target.assetId,
      type: 'keys',
      schema: 1,
      tenantId: target.tenantId,
      kekId,
      wrapped: Buffer.from(wrapped).toString('base64'),
      keys: renditions.map((rendition) => ({
        keyId: Buffer.from(random.bytes(keyBytes)).toString('hex'),
        rendition,
      })),
    }
  }

  async function unwrap({ kekId, wrapped, keys: names }: WrappedKeys): Promise<readonly ClearKey[]> {
    const plain = await kek.unwrap(kekId, Buffer.from(wrapped, 'base64'))
    if (plain.length !== names.length * keyBytes)
      throw new Error('an envelope of keys has another size than it names')
    return names.map((name, n) => ({ ...name, key: plain.subarray(n * keyBytes, (n + 1) * keyBytes) }))
  }

  const clearKeys = (assetId: AssetId, version: number): Promise<readonly ClearKey[]> =>
    clear.get(cacheKey(assetId, version), async () => {
      const envelope = await keys.get(assetId, envelopeId(version))
      return envelope ? unwrap(envelope) : []
    })

  return {
    /** Whoever creates the envelope first decides; everybody else takes what is there. */
    async prepare(target: KeyTarget, renditions: readonly string[]): Promise<Record<string, string>> {
      const read = () => keys.get(target.assetId, envelopeId(target.version))
      let envelope = await read()
      if (!envelope) {
        const made = await makeEnvelope(target, renditions)
        envelope = (await keys.create(made)) ? made : await read()
      }
      const ids = Object.fromEntries(envelope?.keys.map(({ rendition, keyId }) => [rendition, keyId]) ?? [])
      if (renditions.every((rendition) => ids[rendition])) return ids
      throw new Problem('conflict', {
        detail: 'This version was planned with other renditions; encode a new one.',
      })
    },

    /** The sealer of one plan; it closes over the clear keys and nothing else gets them. */
    async open({ assetId, version }: KeyTarget, planHash: string) {
      const own = await clearKeys(assetId, version)
      return (segment: { rendition: string; number: number; bytes: Uint8Array }): Uint8Array => {
        const { rendition, number, bytes } = segment
        const key = own.find((k) => k.rendition === rendition)?.key
        if (!key) throw new Error(`no content key for rendition ${rendition}`)
        return sealSegment(bytes, key, segmentIv({ version, planHash, rendition, number }))
      }
    },

    async contentKey(
      of: { assetId: AssetId; version: number },
      keyId: string,
    ): Promise<Uint8Array | undefined> {
      return (await clearKeys(of.assetId, of.version)).find((k) => k.keyId === keyId)?.key
    },

    /** The envelopes go; without them what is left of the title in any copy of Blob stays sealed for ever. */
    async forget(assetId: AssetId): Promise<void> {
      clear.dropBelow(`${assetId}/`)
      await keys.removeAll(assetId)
      clear.dropBelow(`${assetId}/`)
    },
  }
}
