// A title in real stores whose content keys are changed: its segments are noise, its orchestration is driven without waiting.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import type { OrchestrationContext } from 'durable-functions'
import { type Asset, AssetDocument, mediaFolder } from '../../shared/assets/model.ts'
import { Timeline, type TimelineRendition } from '../../shared/assets/timeline.ts'
import { createBlobStores } from '../../shared/azure/blob.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createKek } from '../../shared/azure/vault.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { silentLog } from '../../shared/core/log.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { createContentKeys } from '../../shared/protect/content-keys.ts'
import { segmentIv } from '../../shared/protect/iv.ts'
import { createRotation, type RotationDeps } from '../../shared/protect/rotation.ts'
import { openSegment } from '../../shared/protect/seal.ts'
import { type ActivityName, activityNames } from '../../shared/protect/work.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { startBlobs } from '../support/azurite.ts'
import { startCosmos } from '../support/cosmos.ts'
import { sampleAsset } from '../support/documents.ts'

export const retentionMs = 12 * 3_600_000
/** So that few segments are more than one batch. */
const batchSegments = 10
export const planHash = '0123456789abcdefabcd'

export type Call = (name: string, input: unknown) => Promise<unknown>
type Task = { run(): Promise<unknown> }
type Orchestrator = (context: OrchestrationContext) => Generator<unknown, unknown, unknown>

/** As the engine does, but timers fire at once and move the clock; `call` runs an activity to its end. */
export async function drive(orchestrator: Orchestrator, first: unknown, clock: Clock, call: Call) {
  const executions: unknown[] = []
  for (let input = first; ; ) {
    executions.push(input)
    let again: { readonly input: unknown } | undefined
    const df = {
      getInput: () => structuredClone(input),
      get currentUtcDateTime() {
        return new Date(clock.now())
      },
      callActivityWithRetry: (name: string, _retry: unknown, given: unknown): Task => ({
        run: () => call(name, JSON.parse(JSON.stringify(given))),
      }),
      createTimer: (at: Date): Task => ({ run: async () => clock.advanceTo(at.getTime()) }),
      Task: { all: (tasks: Task[]): Task => ({ run: () => Promise.all(tasks.map((task) => task.run())) }) },
      continueAsNew: (next: unknown) => {
        again = { input: JSON.parse(JSON.stringify(next)) }
      },
    }
    const steps = orchestrator({ df } as unknown as OrchestrationContext)
    let step = steps.next()
    while (!step.done) {
      const result = await (step.value as Task).run().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      step = 'error' in result ? steps.throw(result.error) : steps.next(result.value)
    }
    if (!again) return { output: step.value, executions }
    input = again.input
  }
}

export type Clock = ReturnType<typeof movableClock>
export function movableClock() {
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  return {
    now,
    wait: async () => {},
    advanceTo: (ms: number) => {
      aheadMs += Math.max(0, ms - now())
    },
  }
}

export type RekeyStage = Awaited<ReturnType<typeof createRekeyStage>>

export async function createRekeyStage() {
  const directory = await mkdtemp(join(tmpdir(), 'movidone-rekey-'))
  const [blobServer, cosmosServer] = await Promise.all([startBlobs(), startCosmos()])
  const pace = { clock: systemClock, random: systemRandom }
  const { media } = createBlobStores({ url: blobServer.url, emulator: blobServer }, pace)
  const schemas = { asset: AssetDocument, tenant: TenantDocument }
  const stores = createCosmosStores(cosmosServer, { ...pace, schemas })
  const kek = createKek({ kind: 'file', path: join(directory, 'kek.pem') }, pace)
  const clock = movableClock()
  const credential = new StorageSharedKeyCredential(blobServer.account, blobServer.key)
  const container = new BlobServiceClient(blobServer.url, credential).getContainerClient('media')
  const deps: RotationDeps = {
    ...{ keys: stores.keys, kek, assets: stores.assets, media, clock, random: systemRandom },
    ...{ log: silentLog, retentionMs, batchSegments },
  }
  const contentKeys = () => createContentKeys(deps)

  /** `counts`: how many segments each rendition has. */
  async function makeTitle(counts: Record<string, number>) {
    const asset = sampleAsset({ state: 'ready', progress: { percent: 100, stage: 'done' } })
    const { tenantId, id: assetId } = asset
    const target = { tenantId, assetId, version: 1 }
    const keyIds = await contentKeys().prepare(target, Object.keys(counts))
    const seal = await contentKeys().open(target, planHash)
    const plain = new Map<string, Buffer>()
    const renditions: TimelineRendition[] = []
    for (const [name, count] of Object.entries(counts)) {
      const folder = `${mediaFolder(asset)}${planHash}/${name}/`
      await media.putOnce(`${folder}init.mp4`, Buffer.from(`init of ${name}`), 'video/mp4')
      const segments = await Promise.all(
        Array.from({ length: count }, async (_, number) => {
          const bytes = Buffer.from(systemRandom.bytes(500 + ((number * 37) % 100)))
          plain.set(`${name}/${number}`, bytes)
          const sealed = seal({ rendition: name, number, bytes })
          const blob = `${folder}${number}.m4s`
          await media.putOnce(blob, sealed, 'application/octet-stream')
          return { durationSeconds: 4, sizeBytes: sealed.length, blob }
        }),
      )
      const kind = name === 'audio' ? 'audio' : 'video'
      const facts = { name, kind, codecs: 'x', averageBandwidth: 1, bandwidth: 1 } as const
      const init = { blob: `${folder}init.mp4`, sizeBytes: `init of ${name}`.length }
      renditions.push({ ...facts, keyId: keyIds[name] ?? '', init, segments })
    }
    const timeline: Timeline = {
      ...{ schema: 1, assetId, version: 1, generation: 0, planHash, scheme: 'aes-128' },
      ...{ targetDurationSeconds: 4, durationSeconds: 4 * Math.max(...Object.values(counts)), ended: true },
      renditions,
    }
    const blob = `${mediaFolder(asset)}timeline-9.json`
    await media.putOnce(blob, Buffer.from(JSON.stringify(timeline)), 'application/json')
    await stores.assets.create({ ...asset, timeline: blob })
    return { target, plain, timeline: blob }
  }
  type Title = Awaited<ReturnType<typeof makeTitle>>

  async function timelineOf(blob: string | undefined): Promise<Timeline> {
    const bytes = blob === undefined ? undefined : await media.get(blob)
    if (!bytes) throw new Error(`no timeline ${blob}`)
    return Timeline.parse(JSON.parse(Buffer.from(bytes).toString()))
  }

  return {
    ...{ stores, media, deps, clock, contentKeys, makeTitle, timelineOf },
    assetOf: ({ target }: Title): Promise<Asset | undefined> =>
      stores.assets.get(target.tenantId, target.assetId),

    /** Every segment of a timeline with the keys of its generation, as a viewer opens it: what of it is not as it was. */
    async spoilt(timeline: Timeline, { target, plain }: Title): Promise<string[]> {
      const keys = contentKeys()
      const of = { assetId: target.assetId, version: timeline.version, generation: timeline.generation }
      const wrong = timeline.renditions.flatMap(({ name, keyId, segments }) =>
        segments.map(async ({ blob, sizeBytes }, number) => {
          const [sealed, key] = await Promise.all([media.get(blob), keys.contentKey(of, keyId)])
          if (sealed?.length !== sizeBytes || !key) return [`${name}/${number} is not there`]
          const iv = segmentIv({ version: timeline.version, planHash, rendition: name, number })
          const opened = Buffer.from(openSegment(sealed, key, iv))
          return plain.get(`${name}/${number}`)?.equals(opened) ? [] : [`${name}/${number} differs`]
        }),
      )
      return (await Promise.all(wrong)).flat()
    },

    async blobsOf({ target }: Title): Promise<string[]> {
      const prefix = `${target.tenantId}/${target.assetId}/`
      const names: string[] = []
      for await (const { name } of container.listBlobsFlat({ prefix })) names.push(name.slice(prefix.length))
      return names.sort()
    },

    /** What `encode` does when a title was deleted. */
    async clean({ target }: Title): Promise<void> {
      await media.removeFolder(`${target.tenantId}/${target.assetId}/`)
      await contentKeys().forget(target.assetId)
      await stores.assets.remove(target.tenantId, target.assetId)
    },

    /** Runs activities of an app on these stores, or on others. */
    caller(on: Partial<RotationDeps> = {}): Call {
      const { activities } = createRotation({ ...deps, ...on })
      const names = Object.entries(activityNames) as Array<[ActivityName, string]>
      return (name, input) => {
        const [key] = names.find(([, each]) => each === name) ?? []
        if (!key) throw new Error(`no activity ${name}`)
        return activities[key](input)
      }
    },

    async stop() {
      await Promise.all([blobServer.stop(), cosmosServer.stop()])
      await rm(directory, { recursive: true, force: true })
    },
  }
}
