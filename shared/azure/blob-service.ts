// How the Blob service is reached and who signs its URLs: an account key on one machine, Entra ID in Azure.
import type { TokenCredential } from '@azure/identity'
import type {
  BlobSASSignatureValues,
  BlobServiceClient,
  BlockBlobClient,
  ContainerClient,
  SASQueryParameters,
  UserDelegationKey,
} from '@azure/storage-blob'
import type { BlobConfig } from '../config/index.ts'
import { lazy } from '../core/lazy.ts'
import { entraCredential } from './credential.ts'
import { type Pace, persist } from './failure.ts'

export interface BlobDeps extends Pace {
  /** Instead of the identity that the configuration names. */
  readonly credential?: TokenCredential
}

/** One container, every call of it bounded in time and repeated while its failures are transient. */
export interface BlobContainer {
  on<T>(blob: string, run: (blob: BlockBlobClient, signal: AbortSignal) => Promise<T>): Promise<T>
  whole<T>(run: (container: ContainerClient, signal: AbortSignal) => Promise<T>): Promise<T>
  /** The URL of one blob with a SAS that allows exactly `permissions` until then. */
  sign(blob: string, permissions: 'cw' | 'r', expiresAtMs: number): Promise<string>
}

type Sign = (values: BlobSASSignatureValues) => Promise<SASQueryParameters>

// The newest version that emulators know as well; the SDK would sign with its own, which only Azure knows.
const sasVersion = '2025-11-05'
const clockSkewMs = 5 * 60_000
const delegationKeyLifeMs = 2 * 86_400_000

// Repetition is ours (`persist`): the SDK's has no time limit for a try and leaves a broken body to its caller.
const options = { retryOptions: { maxTries: 1 } }

export function openBlobService(config: BlobConfig, deps: BlobDeps): (container: string) => BlobContainer {
  const open = lazy(async () => {
    const sdk = await import('@azure/storage-blob')
    if (config.emulator) {
      const key = new sdk.StorageSharedKeyCredential(config.emulator.account, config.emulator.key)
      const sign: Sign = async (values) => sdk.generateBlobSASQueryParameters(values, key)
      return { sdk, service: new sdk.BlobServiceClient(config.url, key, options), sign }
    }
    const credential = deps.credential ?? (await entraCredential(config.clientId))
    const service = new sdk.BlobServiceClient(config.url, credential, options)
    const keyUntil = delegationKeys(service, deps)
    const sign: Sign = async (values) => {
      const key = await keyUntil(values.expiresOn?.getTime() ?? Number.POSITIVE_INFINITY)
      return sdk.generateBlobSASQueryParameters(values, key, service.accountName)
    }
    return { sdk, service, sign }
  })

  return (name) => {
    const whole: BlobContainer['whole'] = (run) =>
      persist(deps, async (signal) => run((await open()).service.getContainerClient(name), signal))
    return {
      whole,
      on: (blob, run) => whole((container, signal) => run(container.getBlockBlobClient(blob), signal)),
      async sign(blob, permissions, expiresAtMs) {
        const { sdk, service, sign } = await open()
        const sas = await sign({
          containerName: name,
          blobName: blob,
          permissions: sdk.BlobSASPermissions.parse(permissions),
          startsOn: new Date(deps.clock.now() - clockSkewMs),
          expiresOn: new Date(expiresAtMs),
          protocol: config.url.startsWith('https:') ? sdk.SASProtocol.Https : sdk.SASProtocol.HttpsAndHttp,
          version: sasVersion,
        })
        return `${service.getContainerClient(name).getBlobClient(blob).url}?${sas}`
      },
    }
  }
}

/** One user delegation key for the whole process, kept to half its life: after that, every SAS still fits into the rest. */
function delegationKeys(service: BlobServiceClient, pace: Pace) {
  let current: { key: Promise<UserDelegationKey>; renewAtMs: number } | undefined
  return (untilMs: number): Promise<UserDelegationKey> => {
    const now = pace.clock.now()
    if (untilMs > now + delegationKeyLifeMs / 2)
      throw new RangeError(`a signed URL lives ${delegationKeyLifeMs / 2 / 3_600_000} hours at most`)
    if (!current || now >= current.renewAtMs) {
      const ends = new Date(now + delegationKeyLifeMs)
      // A SAS may not start before its key: that one starts twice as far back.
      const starts = new Date(now - 2 * clockSkewMs)
      const key = persist(pace, (abortSignal) => service.getUserDelegationKey(starts, ends, { abortSignal }))
      const fresh = { key, renewAtMs: now + delegationKeyLifeMs / 2 }
      current = fresh
      key.catch(() => {
        if (current === fresh) current = undefined
      })
    }
    return current.key
  }
}
