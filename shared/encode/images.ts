// encode-images: the sprites of the storyboard, made of the I-frames that are stored already: nothing large is read again.
import type { SourceStore } from '../assets/ports.ts'
import type { Storyboard } from '../assets/timeline.ts'
import { Problem } from '../core/problem.ts'
import { spriteArgv } from './argv-storyboard.ts'
import type { EncodeDeps } from './deps.ts'
import { iframeRendition, type Plan } from './plan.ts'
import type { EncodeTarget, Unseal } from './ports.ts'
import { sniffContainer } from './sniff.ts'
import { type Board, layStoryboard } from './storyboard.ts'
import { initBlob, segmentBlob, spriteBlob } from './timeline.ts'
import { killed, readPlan } from './unit.ts'
import { settle, titleOf, underWatch } from './watch.ts'
import { withoutAddress } from './words.ts'
import type { Outcome, PlannedTarget } from './work.ts'

const spriteMs = 120_000

/** A title without a storyboard still plays: it has all of it, or none. Sprites that are there are left as they are. */
export const encodeImages = (deps: EncodeDeps, input: PlannedTarget): Promise<Outcome> =>
  settle(deps, input, async () => {
    const plan = await readPlan(deps, input)
    const board = layStoryboard(plan)
    if (!board) return { ok: true }
    const unseal = await deps.sealer.unseal(input, plan.hash)
    await underWatch(deps, { target: input }, async (signal) => {
      for (const [number, segments] of board.sprites.entries()) {
        const blob = spriteBlob(input, plan, number)
        if (await deps.media.facts(blob)) continue
        const film = await filmOf(deps, { input, plan, segments, unseal })
        const jpeg = await makeSprite(deps, { blob, plan, board, film, tiles: segments.length, signal })
        if (!jpeg) return deps.log('warn', 'encode.no-storyboard', { assetId: input.assetId, sprite: number })
        await deps.media.putOnce(blob, jpeg, 'image/jpeg')
      }
    })
    await titleOf(deps, input)
    return { ok: true }
  })

interface Film {
  readonly input: EncodeTarget
  readonly plan: Plan
  readonly segments: readonly number[]
  readonly unseal: Unseal
}

/** Only a hundred pictures of a small rendition, in clear, in memory. */
async function filmOf(deps: EncodeDeps, { input, plan, segments, unseal }: Film): Promise<Uint8Array> {
  const need = async (blob: string): Promise<Uint8Array> => {
    const bytes = await deps.media.get(blob)
    if (!bytes) throw new Problem('asset-failed')
    return bytes
  }
  const init = need(initBlob(input, plan, plan.iframes ?? ''))
  const frames = segments.map(async (number) => {
    const at = { rendition: iframeRendition, number }
    return unseal({ ...at, bytes: await need(segmentBlob(input, plan, at)) })
  })
  return Buffer.concat(await Promise.all([init, ...frames]))
}

interface Sprite {
  readonly blob: string
  readonly plan: Plan
  readonly board: Board
  readonly film: Uint8Array
  readonly tiles: number
  readonly signal: AbortSignal
}

async function makeSprite(deps: EncodeDeps, sprite: Sprite): Promise<Uint8Array | undefined> {
  const { blob, plan, board, film, tiles, signal } = sprite
  const store: SourceStore = {
    ...deps.sources,
    read: async (_, { offset, count }) => film.subarray(offset, offset + count),
  }
  const opened = await deps.ffmpeg.open({ blob, etag: plan.hash, sizeBytes: film.length }, store)
  try {
    const { end, files, messages } = await deps.ffmpeg.run({
      program: 'ffmpeg',
      argv: spriteArgv(plan, { url: opened.url, container: sniffContainer(film), board, tiles }),
      outputs: ['sprite.jpg'],
      wallMs: spriteMs,
      fileBytes: 16 << 20,
      signal: AbortSignal.any([signal, opened.failed]),
    })
    if (end === 'killed') throw killed()
    if (end !== 'done')
      deps.log('error', 'encode.ffmpeg-failed', { blob, end, messages: withoutAddress(messages) })
    return files['sprite.jpg']
  } finally {
    await opened.close()
  }
}

/** As the timeline tells it, once all sprites are there. */
export async function storyboardOf(
  deps: EncodeDeps,
  target: EncodeTarget,
  plan: Plan,
): Promise<Storyboard | undefined> {
  const board = layStoryboard(plan)
  if (!board) return undefined
  const found = board.sprites.map(async (_, number) => {
    const blob = spriteBlob(target, plan, number)
    const facts = await deps.media.facts(blob)
    return facts ? [{ blob, sizeBytes: facts.sizeBytes }] : []
  })
  const sprites = (await Promise.all(found)).flat()
  return sprites.length === board.sprites.length ? { ...board, sprites } : undefined
}
