// What a new user sees at the first `npm start`: a sample title that plays, and lines that upload a film of one's own.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { chooseFfmpeg } from '../../host/platform/ffmpeg.ts'
import {
  endAllPlatforms,
  type PlatformProcess,
  startPlatform,
  stateFolder,
  untilNoneRuns,
} from '../support/platform-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'movidone-film-'))
afterAll(async () => {
  await endAllPlatforms()
  rmSync(folder, { recursive: true })
})

const SAMPLE_URL = /Sample {5}(http:\S+\/master\.m3u8)/
const MADE_WITHIN_MS = 240_000

const untilPrinted = async (platform: PlatformProcess, pattern: RegExp): Promise<string> => {
  const until = Date.now() + MADE_WITHIN_MS
  for (;;) {
    const found = pattern.exec(platform.printed())
    if (found) return found[1] ?? found[0]
    if (Date.now() > until || platform.supervisor.exitCode !== null) throw new Error(platform.printed())
    await sleep(100)
  }
}

const titles = async (platform: PlatformProcess): Promise<{ id: string; title: string; state: string }[]> => {
  const { apiUrl, tenant } = platform.local()
  const answer = await fetch(`${apiUrl}/api/v1/assets`, {
    headers: { authorization: `Bearer ${tenant.apiKey}` },
  })
  return ((await answer.json()) as { items: { id: string; title: string; state: string }[] }).items
}

const curlIsHere = spawnSync('curl', ['--version']).status === 0
if (!curlIsHere) console.log('curl is not here (apt-get install curl): the printed lines are not tried.')

async function uploadAsPrinted(lines: string, state: string): Promise<string> {
  const film = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', '5', 'film.mp4']
  const { ffmpegPath } = await chooseFfmpeg(process.env, state)
  execFileSync(ffmpegPath, ['-loglevel', 'error', ...film], { cwd: folder })
  const answer = execFileSync('bash', ['--norc', '-euc', lines], { cwd: folder, encoding: 'utf8' })
  const { assetId, state: begun } = JSON.parse(answer) as { assetId: string; state: string }
  expect(begun).toBe('encoding')
  return assetId
}

it('the lines that were printed are tried wherever this must not be skipped', () => {
  expect(curlIsHere || process.env['CI'] !== 'true').toBe(true)
})

it('draws, uploads and encodes a sample, prints lines that do the same for a film, and keeps both', async () => {
  const state = stateFolder()
  const first = startPlatform(state, { env: { MOVIDONE_SAMPLE: 'on' } })
  const { processes } = await first.healthy()
  const url = await untilPrinted(first, SAMPLE_URL)
  const master = await (await fetch(url)).text()
  expect(master).toMatch(/^#EXTM3U/)
  expect(master.match(/#EXT-X-STREAM-INF/g)?.length).toBeGreaterThanOrEqual(2)
  expect((await titles(first)).map((title) => title.state)).toEqual(['ready'])

  // The printed lines are taken as they are, in a folder that holds a film of that name.
  await untilPrinted(first, /Ctrl-C stops everything/)
  const lines = first.printed().split('Upload a film of your own:\n')[1]?.split('Ctrl-C')[0] ?? ''
  expect(lines).toMatch(/curl .*uploads[\s\S]*curl .*complete/)
  const assetId = curlIsHere ? await uploadAsPrinted(lines, state) : undefined
  const until = Date.now() + MADE_WITHIN_MS
  while ((await titles(first)).find(({ id }) => id === assetId)?.state === 'encoding' && Date.now() < until)
    await sleep(200)
  const made = await titles(first)
  expect(made.map(({ state: now }) => now)).toEqual(assetId ? ['ready', 'ready'] : ['ready'])

  expect(await first.end('SIGINT')).toBe(0)
  expect(await untilNoneRuns(processes)).toEqual([])

  const second = startPlatform(state, { env: { MOVIDONE_SAMPLE: 'on' } })
  const again = await untilPrinted(second, SAMPLE_URL)
  expect((await fetch(again)).status).toBe(200)
  expect((await titles(second)).map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort())
  expect(second.printed()).not.toContain('drawing')
  await second.end('SIGTERM')
})
