// A tenant who works on through kills: what was acknowledged is a promise to be checked, what was not is asked again.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { createErrands } from './errands.ts'
import { mediaPlaylist, mediaPlaylists } from './hls.ts'
import { createPromises } from './promises.ts'
import type { Tenant } from './tenant.ts'

export interface Film {
  readonly bytes: Buffer
  /** In the order of the file, as Put Block takes them. */
  readonly blocks: ReadonlyArray<{ id: string; bytes: Buffer }>
}

/** A film in blocks so small that an upload takes its time. */
export function filmOf(bytes: Buffer, blockBytes = 48 << 10): Film {
  const blocks = Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (_, n) => ({
    id: Buffer.from(String(n).padStart(4, '0')).toString('base64'),
    bytes: bytes.subarray(n * blockBytes, (n + 1) * blockBytes),
  }))
  return { bytes, blocks }
}

interface Resumed {
  readonly uploadUrl: string
  readonly blocks: Array<{ id: string; sizeBytes: number }>
}

/** How far a title has come, by what its tenant was told. */
export interface Title {
  readonly order: string
  id: string
  /** The acknowledged name, then those asked for since. */
  names: string[]
  readonly sent: Map<string, number>
  step: 'announced' | 'committing' | 'committed' | 'completed' | 'ready'
  /** In the words of its progress, for who wants to know where a kill hit. */
  stage: string
  percent: number
  segments: number
  hlsPath: string
}

/** One life of the platform, as its tenant sees it. */
export interface Life {
  readonly tenant: Tenant
  readonly adminKey: string
  readonly apiUrl: string
  readonly random: () => number
  /** Set before the first process is killed: whatever fails from then on has not been acknowledged. */
  over: boolean
}

const order = ['uploading', 'encoding', 'ready']

export function createPersistentTenant(film: Film, onReady: (life: Life, title: Title) => Promise<void>) {
  const titles: Title[] = []
  const promises = createPromises()
  const errands = createErrands(promises, titles)

  const current = (): Title => {
    const last = titles.at(-1)
    if (last && last.step !== 'ready') return last
    const named = `title-${titles.length + 1}-${Math.random()}`
    const title: Title = {
      ...{ order: named, id: '', names: [named], sent: new Map(), step: 'announced' as const },
      ...{ stage: 'announced', percent: 0, segments: 0, hlsPath: '' },
    }
    titles.push(title)
    return title
  }

  async function announce({ tenant }: Life, title: Title): Promise<void> {
    const ask = { fileName: 'film.mp4', sizeBytes: film.bytes.length, title: title.names[0] }
    const headers = { 'idempotency-key': title.order }
    const announced = tenant.call('POST', '/api/v1/uploads', ask, headers)
    title.id = (await tenant.expectStatus<{ assetId: string }>(201, announced)).assetId
  }

  async function send({ tenant }: Life, title: Title): Promise<void> {
    const { uploadUrl, blocks } = await tenant.expectStatus<Resumed>(
      200,
      tenant.call('GET', `/api/v1/uploads/${title.id}`),
    )
    if (title.step === 'announced') {
      for (const [id, sizeBytes] of title.sent) expect(blocks).toContainEqual({ id, sizeBytes })
      for (const { id, bytes } of film.blocks.filter((block) => !title.sent.has(block.id))) {
        await tenant.putBlock(uploadUrl, id, bytes)
        title.sent.set(id, bytes.length)
      }
    }
    title.step = 'committing'
    await tenant.putBlockList(
      uploadUrl,
      film.blocks.map(({ id }) => id),
    )
    title.step = 'committed'
  }

  async function complete({ tenant }: Life, title: Title): Promise<void> {
    await tenant.expectStatus(202, tenant.call('POST', `/api/v1/uploads/${title.id}/complete`))
    title.step = 'completed'
  }

  /** What a title has shown it never takes back. */
  async function look(life: Life, title: Title): Promise<void> {
    const names = [...title.names]
    const asset = await life.tenant.asset(title.id)
    expect(asset.error).toBeUndefined()
    expect([...names, ...title.names]).toContain(asset.title)
    const least = { ready: 2, completed: 1 }[title.step as string] ?? 0
    expect(order.indexOf(asset.state)).toBeGreaterThanOrEqual(least)
    expect(asset.progress.percent).toBeGreaterThanOrEqual(title.percent)
    title.percent = asset.progress.percent
    title.stage = asset.progress.stage
    if (title.segments > 0) expect(asset.playable).toBe(true)
    if (asset.playable) await watch(life, title)
    if (asset.state !== 'ready' || title.step === 'ready') return
    await onReady(life, title)
    title.step = 'ready'
  }

  async function watch({ tenant, apiUrl }: Life, title: Title): Promise<void> {
    title.hlsPath ||= new URL((await tenant.playback(title.id)).hlsUrl).pathname
    const lists = await mediaPlaylists(`${apiUrl}${title.hlsPath}`)
    const { segments } = await mediaPlaylist(lists[0] ?? '')
    expect(segments.length).toBeGreaterThanOrEqual(title.segments)
    title.segments = segments.length
    expect((await fetch(segments.at(-1) ?? '')).status).toBe(200)
  }

  /** Takes the title that is being worked on to its end; false when the life ended before. */
  async function finishOne(life: Life): Promise<boolean> {
    const title = current()
    if (!title.id) await announce(life, title)
    if (title.step === 'announced' || title.step === 'committing') await send(life, title)
    if (title.step === 'committed') await complete(life, title)
    while (!life.over && title.step !== 'ready') {
      await look(life, title)
      await sleep(100)
    }
    return title.step === 'ready'
  }

  /** Everything that was acknowledged, or what is newest of it. */
  async function check(life: Life, most = Number.POSITIVE_INFINITY): Promise<void> {
    for (const title of titles.slice(-Math.min(most, titles.length))) if (title.id) await look(life, title)
    await promises.check(life, most)
  }

  /** What goes wrong after the end of a life is its end; before, it is a failure. */
  async function within(life: Life, step: () => Promise<unknown>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (life.over) return
      life.over = true
      throw error
    }
  }
  async function repeat(life: Life, step: (life: Life) => Promise<unknown>): Promise<void> {
    while (!life.over) await within(life, () => step(life))
  }

  return {
    titles: titles as readonly Title[],
    promises,
    finishOne,
    check,
    /** Sees that what is newest still holds, then works until the life is over. */
    async work(life: Life): Promise<void> {
      await within(life, () => check(life, 20))
      await Promise.all([repeat(life, finishOne), repeat(life, errands.runOne)])
    },
  }
}
