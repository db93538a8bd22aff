// A short title drawn by ffmpeg, sealed by protect, kept in real stores and served on loopback by deliver.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AssetDocument, mediaFolder } from '../../shared/assets/model.ts'
import type { Timeline, TimelineRendition } from '../../shared/assets/timeline.ts'
import { createBlobStores } from '../../shared/azure/blob.ts'
import { createCosmosStores } from '../../shared/azure/cosmos.ts'
import { createKek } from '../../shared/azure/vault.ts'
import { systemClock } from '../../shared/core/clock.ts'
import { makeId } from '../../shared/core/ids.ts'
import { systemRandom } from '../../shared/core/random.ts'
import { createDeliver } from '../../shared/deliver/index.ts'
import { createClients } from '../../shared/http/client.ts'
import { createProtect } from '../../shared/protect/index.ts'
import { TenantDocument } from '../../shared/tenants/model.ts'
import { startBlobs } from '../support/azurite.ts'
import { startCosmos } from '../support/cosmos.ts'
import { sampleAsset, sampleTenant } from '../support/documents.ts'

const run = promisify(execFile)
const bundled = 'node_modules/@ffmpeg-installer/linux-x64/ffmpeg'
const ffmpeg =
  [process.env['FFMPEG_PATH'], '/usr/bin/ffmpeg', bundled].find((path) => path && existsSync(path)) ??
  'ffmpeg'

export const ask = async (args: readonly string[]): Promise<string> =>
  (await run(ffmpeg, ['-v', 'error', '-nostdin', ...args], { maxBuffer: 16 << 20, timeout: 100_000 })).stdout

/** Every packet that comes out of `url`, by time, size and checksum. */
export const packets = async (url: string, stream: 'v' | 'a'): Promise<string[]> => {
  const text = await ask(['-i', url, '-map', `0:${stream}:0`, '-c', 'copy', '-f', 'framecrc', '-'])
  return text
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').slice(-2).join())
}

interface Drawn {
  readonly folder: string
  readonly init: Buffer
  readonly segments: Buffer[]
}

async function draw(folder: string, kind: 'video' | 'audio'): Promise<Drawn> {
  const source =
    kind === 'video'
      ? 'testsrc2=size=320x180:rate=25:duration=4'
      : 'sine=frequency=440:sample_rate=48000:duration=4'
  const codec =
    kind === 'video' ? '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -bf 0' : '-c:a aac -b:a 96k'
  const hls = `-f hls -hls_time 1 -hls_playlist_type vod -hls_segment_type fmp4 -hls_fmp4_init_filename ${kind}-init.mp4`
  const files = ['-hls_segment_filename', join(folder, `${kind}-%d.m4s`), join(folder, `${kind}.m3u8`)]
  await ask(['-f', 'lavfi', '-i', source, ...codec.split(' '), ...hls.split(' '), ...files])
  const names = (await readdir(folder))
    .filter((name) => name.startsWith(`${kind}-`) && name.endsWith('.m4s'))
    .sort()
  const segments = await Promise.all(names.map((name) => readFile(join(folder, name))))
  return { folder, init: await readFile(join(folder, `${kind}-init.mp4`)), segments }
}

export async function serveDrawnTitle() {
  const directory = await mkdtemp(join(tmpdir(), 'movidone-play-'))
  const [blobServer, cosmosServer] = await Promise.all([startBlobs(), startCosmos()])
  const pace = { clock: systemClock, random: systemRandom }
  const { media } = createBlobStores({ url: blobServer.url, emulator: blobServer }, pace)
  const stores = createCosmosStores(cosmosServer, {
    ...pace,
    schemas: { asset: AssetDocument, tenant: TenantDocument },
  })
  const kek = createKek({ kind: 'file', path: join(directory, 'kek.pem') }, pace)
  const tenantId = makeId('ten', systemRandom)
  const protect = createProtect({
    countSession: async () => {},
    ...stores,
    kek,
    ...pace,
    tenant: async (id) => sampleTenant({ id }),
    leaseMs: 30_000,
    cutOffMs: 30_000,
  })

  const drawn = { v180: await draw(directory, 'video'), audio: await draw(directory, 'audio') }
  const asset = sampleAsset({ tenantId, state: 'ready', progress: { percent: 100, stage: 'done' } })
  const target = { tenantId, assetId: asset.id, version: 1, generation: 0 }
  const planHash = '0123456789abcdef'
  const keyIds = await protect.sealer.prepare(target, Object.keys(drawn))
  const seal = await protect.sealer.open(target, planHash)

  async function store(name: 'v180' | 'audio'): Promise<TimelineRendition> {
    const folder = `${mediaFolder(asset)}${planHash}/${name}/`
    const { init, segments } = drawn[name]
    await media.putOnce(`${folder}init.mp4`, init, 'video/mp4')
    const sealed = segments.map((bytes, number) => seal({ rendition: name, number, bytes }))
    await Promise.all(sealed.map((bytes, n) => media.putOnce(`${folder}${n}.m4s`, bytes, 'video/mp4')))
    return {
      name,
      ...(name === 'audio'
        ? { kind: 'audio' as const, codecs: 'mp4a.40.2', channels: 1 }
        : { kind: 'video' as const, codecs: 'avc1.42c00d', width: 320, height: 180, frameRate: 25 }),
      averageBandwidth: 300_000,
      bandwidth: 400_000,
      keyId: keyIds[name] ?? '',
      init: { blob: `${folder}init.mp4`, sizeBytes: init.length },
      segments: sealed.map((bytes, n) => ({
        durationSeconds: 1,
        sizeBytes: bytes.length,
        blob: `${folder}${n}.m4s`,
      })),
    }
  }

  const timeline: Timeline = {
    schema: 1,
    assetId: asset.id,
    version: 1,
    generation: 0,
    planHash,
    scheme: 'aes-128',
    targetDurationSeconds: 1,
    durationSeconds: 4,
    ended: true,
    renditions: [await store('v180'), await store('audio')],
  }
  const timelineBlob = `${mediaFolder(asset)}timeline-1.json`
  await media.putOnce(timelineBlob, Buffer.from(JSON.stringify(timeline)), 'application/json')
  await stores.assets.create({ ...asset, timeline: timelineBlob })

  const tamper: { key?: (key: Uint8Array) => Uint8Array } = {}
  const deliver = createDeliver({
    ...stores,
    media,
    clock: systemClock,
    authorise: protect.authorise,
    segmentIv: protect.segmentIv,
    answerMaxBytes: 1 << 20,
    redeem: async () => undefined,
    refused: () => 0,
    meter: { served: () => {} },
    contentKey: async (of, keyId) => {
      const key = await protect.contentKey(of, keyId)
      return key && (tamper.key?.(key) ?? key)
    },
  })
  const clientOf = createClients({ hops: 1, proof: undefined, countryHeader: undefined })
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token = '', ...path] = (request.url ?? '').split('/')
    const header = (name: string) => request.headers[name]?.toString() ?? null
    const reply = await deliver.answer({
      method: request.method ?? '',
      token,
      path: path.join('/'),
      header,
      client: clientOf(header),
      origin: '',
    })
    response.writeHead(reply.status, reply.headers).end(reply.body)
  }
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.writeHead(503).end())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    directory,
    asset,
    timeline,
    drawn,
    protect,
    media,
    tamper,
    async stop() {
      server.closeAllConnections()
      server.close()
      await Promise.all([blobServer.stop(), cosmosServer.stop()])
      await rm(directory, { recursive: true, force: true })
    },
  }
}
