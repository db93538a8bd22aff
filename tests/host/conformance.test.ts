// The requests whose answers the real Functions host gave, sent to ours, where that collection is at hand.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repository, startApp } from './running-app.ts'

const collection = join(repository, '../shared/conformance')
const isThere = existsSync(join(collection, 'cases.json'))
if (!isThere)
  console.warn('Conformance is skipped: there is no ../shared/conformance beside this repository.')

function check(port: number): Promise<{ code: number | null; text: string }> {
  const args = [
    join(collection, 'run.mjs'),
    'check',
    `http://127.0.0.1:${port}`,
    join(collection, 'cases.json'),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  return new Promise((done) => child.once('close', (code) => done({ code, text })))
}

it.skipIf(!isThere)('answers every recorded request as the real host did', async () => {
  // Inside the repository, so that the app finds the packages.
  const folder = join(repository, '.movidone', `conformance-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(join(collection, 'app')))
    copyFileSync(join(collection, 'app', file), join(folder, file))
  const app = await startApp(folder)
  try {
    const { code, text } = await check(app.port)
    expect(text).toMatch(/^122 passed, 0 failed, 1 skipped$/m)
    expect(code).toBe(0)
  } finally {
    await app.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
