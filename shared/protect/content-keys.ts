// Which content keys a title has: one for each rendition, all of a generation in one envelope that only the KEK opens.
import type { Clock } from '../core/clock.ts'
import type { AssetId, TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Random } from '../core/random.ts'
import { createRecent } from '../core/recent.ts'
import { segmentIv } from './iv.ts'
import type { Kek, KeyStore, WrappedKeys } from './ports.ts'
import { openSegment, sealSegment } from './seal.ts'

/** What RSA-OAEP-256 takes under a 2048-bit KEK: 256 - 2 × 32 - 2 bytes (RFC 8017 7.1.1). */
const envelopeMaxBytes = 190
const keyBytes = 16
/** How long clear keys stay in this process, and of how many generations. */
const clearForMs = 5 * 60_000
const clearEnvelopes = 64

export interface KeyDeps {
  readonly keys: KeyStore
  readonly kek: Kek
  readonly clock: Clock
  readonly random: Random
}

/** The keys that an encode made are generation 0; each change of them makes the next one. */
export interface Generation {
  readonly assetId: AssetId
  readonly version: number
  readonly generation?: number
}

export interface KeyTarget extends Generation {
  readonly tenantId: TenantId
}

export interface SegmentOf {
  readonly rendition: string
  readonly number: number
  readonly bytes: Uint8Array
}

interface ClearKey {
  readonly keyId: string
  readonly rendition: string
  readonly key: Uint8Array
}

export type ContentKeys = ReturnType<typeof createContentKeys>

const envelopeId = ({ version, generation = 0 }: Generation): string =>
  generation === 0 ? `v${version}` : `v${version}.${generation}`
const cacheKey = (of: Generation): string => `${of.assetId}/${envelopeId(of)}`

export function createContentKeys({ keys, kek, clock, random }: KeyDeps) {
  const clear = createRecent<readonly ClearKey[]>({
    clock,
    maxAgeMs: clearForMs,
    maxWeight: clearEnvelopes,
    keep: (found) => found.length > 0,
  })

  async function makeEnvelope(target: KeyTarget, renditions: readonly string[]): Promise<WrappedKeys> {
    const plain = random.bytes(renditions.length * keyBytes)
    if (plain.length > envelopeMaxBytes)
      throw new RangeError(`${renditions.length} keys do not fit one envelope`)
    const { kekId, wrapped } = await kek.wrap(plain)
    return {
      id: envelopeId(target),
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

  const read = (of: Generation) => keys.get(of.assetId, envelopeId(of))

  const clearKeys = (of: Generation): Promise<readonly ClearKey[]> =>
    clear.get(cacheKey(of), async () => {
      const envelope = await read(of)
      return envelope ? unwrap(envelope) : []
    })

  const namesOf = (envelope: WrappedKeys | undefined): Record<string, string> | undefined =>
    envelope && Object.fromEntries(envelope.keys.map(({ rendition, keyId }) => [rendition, keyId]))

  async function keyFinder(of: Generation): Promise<(rendition: string) => Uint8Array> {
    const own = await clearKeys(of)
    return (rendition) => {
      const key = own.find((each) => each.rendition === rendition)?.key
      if (!key) throw new Error(`no content key for rendition ${rendition}`)
      return key
    }
  }

  return {
    /** Whoever creates the envelope first decides; everybody else takes what is there. */
    async prepare(target: KeyTarget, renditions: readonly string[]): Promise<Record<string, string>> {
      let envelope = await read(target)
      if (!envelope) {
        const made = await makeEnvelope(target, renditions)
        envelope = (await keys.create(made)) ? made : await read(target)
      }
      const ids = namesOf(envelope) ?? {}
      if (renditions.every((rendition) => ids[rendition])) return ids
      throw new Problem('conflict', {
        detail: 'This version was planned with other renditions; encode a new one.',
      })
    },

    /** Key ids by rendition; makes none, so that a late publish never gives keys back to a title that lost them. */
    keyIds: async (of: Generation): Promise<Record<string, string> | undefined> => namesOf(await read(of)),

    /** The sealer of one plan; it closes over the clear keys and nothing else gets them. */
    async open(of: Generation, planHash: string) {
      const keyOf = await keyFinder(of)
      return ({ rendition, number, bytes }: SegmentOf): Uint8Array =>
        sealSegment(bytes, keyOf(rendition), segmentIv({ version: of.version, planHash, rendition, number }))
    },

    /** Opens what `open` sealed. */
    async unseal(of: Generation, planHash: string) {
      const keyOf = await keyFinder(of)
      return ({ rendition, number, bytes }: SegmentOf): Uint8Array =>
        openSegment(bytes, keyOf(rendition), segmentIv({ version: of.version, planHash, rendition, number }))
    },

    /** From one generation's keys to another's. The IV may stay what it is: it is unique under each key. */
    async reseal(from: Generation, to: Generation, planHash: string) {
      const [oldKey, newKey] = await Promise.all([keyFinder(from), keyFinder(to)])
      return ({ rendition, number, bytes }: SegmentOf): Uint8Array => {
        const iv = segmentIv({ version: from.version, planHash, rendition, number })
        return sealSegment(openSegment(bytes, oldKey(rendition), iv), newKey(rendition), iv)
      }
    },

    async contentKey(
      of: { assetId: AssetId; version: number; generation: number },
      keyId: string,
    ): Promise<Uint8Array | undefined> {
      return (await clearKeys(of)).find((each) => each.keyId === keyId)?.key
    },

    /** One generation's envelope goes. */
    async retire(of: Generation): Promise<void> {
      clear.drop(cacheKey(of))
      await keys.remove(of.assetId, envelopeId(of))
      clear.drop(cacheKey(of))
    },

    /** The envelopes go; without them what is left of the title in any copy of Blob stays sealed for ever. */
    async forget(assetId: AssetId): Promise<void> {
      clear.dropBelow(`${assetId}/`)
      await keys.removeAll(assetId)
      clear.dropBelow(`${assetId}/`)
    },
  }
}
