// The colour of one pixel on the screen, read from a screenshot: a canvas of an MSE video stays black when headless.
import { inflateSync } from 'node:zlib'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { secondOf } from './film.ts'

/** The first pixel of a PNG: whatever filter its row has, there is nothing to its left or above (ISO/IEC 15948 9.2). */
function firstPixel(png: Buffer): [number, number, number] {
  const chunks: Buffer[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') chunks.push(png.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  const [, red = 0, green = 0, blue = 0] = inflateSync(Buffer.concat(chunks))
  return [red, green, blue]
}

async function centrePixel(page: Page, of: Locator): Promise<[number, number, number]> {
  const box = await of.boundingBox()
  if (!box) throw new Error('nothing is shown there')
  const clip = {
    x: Math.round(box.x + box.width / 2),
    y: Math.round(box.y + box.height / 2),
    width: 1,
    height: 1,
  }
  return firstPixel(await page.screenshot({ clip, type: 'png' }))
}

/** The colour of this second is on the screen, or comes: a frame that was asked for a moment ago may still be on its way. */
export const expectSecond = (page: Page, of: Locator, second: number): Promise<void> =>
  expect
    .poll(async () => secondOf(await centrePixel(page, of)), { interval: 100, message: 'the second shown' })
    .toBe(second)
