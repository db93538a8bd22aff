// Sets the scene for `docs/fleet.png`: a film keeps one encoder at work while another one wakes and the others sleep.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawFilm, repeatFilm } from './film.ts'
import type { FleetPage } from './fleet-page.ts'
import type { Platform } from './platform.ts'
import { asTenant } from './tenant.ts'

const picture = fileURLToPath(new URL('../../docs/fleet.png', import.meta.url))
const patience = { timeout: 180_000 }

export async function takeFleetPicture({ page }: FleetPage, platform: Platform): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'movidone-picture-'))
  try {
    const [short, long] = ['short.mp4', 'long.mp4'].map((name) => join(folder, name)) as [string, string]
    await drawFilm({ path: short, seconds: 10, size: '1280x720' })
    await repeatFilm({ from: short, to: long, seconds: 300 })
    const tenant = asTenant(platform.apiUrl, platform.tenant.apiKey)
    const assetId = await tenant.upload(long, { title: 'The long way home' })
    await page.mouse.move(0, 0)
    const seen = ['.node[data-look="working"] .holds li', '.node[data-look="waking"]']
    await page.waitForFunction((all) => all.every((one) => document.querySelector(one)), seen, patience)
    await page.screenshot({ path: picture, fullPage: true })
    await tenant.call('DELETE', `/api/v1/assets/${assetId}`)
    const asleep = () => document.querySelector('[data-part="awake"] .node') === null
    await page.waitForFunction(asleep, undefined, patience)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
