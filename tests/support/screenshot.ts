// Sets the scene for `docs/console.png`: one title ready, one being encoded, one on its way.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConsolePage } from './console-page.ts'
import { ffmpeg, repeatFilm } from './film.ts'

const picture = fileURLToPath(new URL('../../docs/console.png', import.meta.url))
const patience = { timeout: 240_000 }

/** Slow colours with a light in them; `hue` and `pace` give each film a face of its own. */
const draw = (path: string, hue: number, pace: number): Promise<void> => {
  const light = `90*exp(-(pow(X-${8 + hue * 4}-5*cos(T*${pace}),2)+pow(Y-9-4*sin(T*${pace}),2))/9)`
  const colours = `cb='128+60*sin(X/9-T/4+${hue})':cr='128+60*cos(Y/5+X/14+${hue * 1.7})'`
  return ffmpeg([
    ...['-f', 'lavfi', '-i', 'sine=frequency=220:sample_rate=48000:duration=20'],
    ...['-f', 'lavfi', '-i', 'color=black:size=32x18:rate=25:duration=20'],
    ...[
      '-filter_complex',
      `[1:v]format=yuv444p,geq=lum='92+32*sin(X/5+T/2+${hue})+${light}':${colours},scale=1280:720:flags=bicubic,format=yuv420p[v]`,
    ],
    ...['-map', '[v]', '-map', '0:a', '-c:v', 'libx264', '-preset', 'veryfast', '-c:a', 'aac', path],
  ])
}

export async function takeScreenshot({ page, card }: ConsolePage, folder: string): Promise<void> {
  for (const name of await page.locator('.card h2').allTextContents()) {
    await card(name)
      .getByRole('button', { name: /^Delete/ })
      .click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await card(name).waitFor({ state: 'detached' })
  }
  const film = (name: string) => join(folder, `${name}.mp4`)
  await draw(film('Harbour_lights'), 0.6, 0.7)
  await draw(film('short'), 3.4, 0.9)
  await draw(film('Tidal'), 5, 1.1)
  await repeatFilm({ from: film('short'), to: film('The_long_way_home'), seconds: 160 })

  await page.locator('#file').setInputFiles(film('Harbour_lights'))
  await card('Harbour lights').locator('.state', { hasText: 'Ready' }).waitFor(patience)
  await page.locator('#file').setInputFiles(film('The_long_way_home'))
  await card('The long way home').getByText('playable already').waitFor(patience)

  let blocks = 0
  await page.route(
    (url) => url.searchParams.has('comp'),
    async (route) => {
      blocks += 1
      if (blocks <= 12) await route.continue()
    },
  )
  await page.locator('#file').setInputFiles(film('Tidal'))
  await card('Tidal').getByText('Uploading').waitFor(patience)
  for (const name of ['Harbour lights', 'The long way home'])
    await card(name).locator('img').waitFor(patience)
  await page.mouse.move(0, 0)
  await page.waitForTimeout(1500)
  await page.setViewportSize({ width: 1200, height: 600 })
  await page.screenshot({ path: picture })
  await card('Tidal')
    .getByRole('button', { name: /^Cancel/ })
    .click()
  await page.unroute((url) => url.searchParams.has('comp'))
}
