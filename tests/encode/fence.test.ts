// A worker whose claim may be another's writes nothing more, however it comes to be late.
import { expect, test } from 'vitest'
import type { EncodeDeps } from '../../shared/encode/deps.ts'
import { behind, createFence } from '../../shared/encode/fence.ts'
import { setStage, target } from './stage.ts'

function fenced() {
  let nowMs = 0
  const { parts } = setStage(new Uint8Array(1))
  const written: string[] = []
  const deps = { ...parts, ledger: { put: async () => written.push('ledger') } } as unknown as EncodeDeps
  const fence = createFence(() => nowMs, 1000)
  const media = { ...parts.media, putOnce: async (name: string) => written.push(name) > 0 }
  const gone = (what: string) => async () => void written.push(what)
  const sources = { ...parts.sources, remove: gone('source') }
  const sealer = { ...parts.sealer, forget: gone('keys'), retire: gone('keys') }
  return {
    fence,
    written,
    deps: behind(fence, { ...deps, media, sources, sealer }),
    bare: { sources, sealer },
    at: (ms: number) => {
      nowMs = ms
    },
  }
}

test('within its time everything is written; behind it nothing, while reading goes on', async () => {
  const { deps, fence, written, at } = fenced()
  at(999)
  await deps.media.putOnce('a', new Uint8Array(), '')
  await deps.ledger.put({} as never)
  expect(written).toEqual(['a', 'ledger'])
  // As a process that was stopped wakes up: no timer had a chance to run.
  at(1000)
  expect(fence.signal.aborted).toBe(false)
  await expect(deps.media.putOnce('b', new Uint8Array(), '')).rejects.toThrow(/not renewed in time/)
  await expect(deps.ledger.put({} as never)).rejects.toThrow(/not renewed/)
  await expect(deps.assets.update(target.tenantId, target.assetId, (asset) => asset)).rejects.toThrow()
  expect(written).toEqual(['a', 'ledger'])
  expect(await deps.assets.get(target.tenantId, target.assetId)).toBeDefined()
  expect(fence.signal.aborted).toBe(true)
})

test('an original and its keys are never a worker’s to take away', async () => {
  const { deps, bare, written } = fenced()
  for (const { sources, sealer } of [bare, deps]) {
    await sources.remove('source')
    await sealer.forget(target.assetId)
    await sealer.retire({ assetId: target.assetId, version: 1 })
    // The app's own do, and no more was done by the worker's.
    expect(written).toEqual(['source', 'keys', 'keys'])
  }
})

test('renewed, it stands for longer; fallen, it never stands again', async () => {
  const { deps, fence, at } = fenced()
  fence.putUntil(2000)
  at(1500)
  await deps.media.putOnce('a', new Uint8Array(), '')
  fence.fall(new Error('held by another'))
  fence.putUntil(9000)
  await expect(deps.media.putOnce('b', new Uint8Array(), '')).rejects.toThrow('held by another')
})

test('its fall ends ffmpeg', async () => {
  const { deps, fence } = fenced()
  const running = deps.ffmpeg.run({
    program: 'ffmpeg',
    argv: ['-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc', '-f', 'null', '-'],
    wallMs: 60_000,
  })
  setTimeout(() => fence.fall(new Error('held by another')), 300)
  await expect(running).rejects.toThrow('held by another')
})
