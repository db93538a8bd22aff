// Which ffmpeg the platform takes: the one that is named, else the system's, and no other one because it was slow to answer.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chooseFfmpeg } from '../../host/platform/ffmpeg.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'movidone-ffmpeg-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder with an ffmpeg and an ffprobe that run these lines. */
function programs(...lines: string[]): string {
  const home = mkdtempSync(join(folder, 'bin-'))
  for (const name of ['ffmpeg', 'ffprobe'])
    writeFileSync(join(home, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 })
  return home
}

const answers = 'echo ffmpeg version 7.1 Copyright'
const silent = 'exec sleep 60'

test('one that is named is taken, with the ffprobe beside it', async () => {
  const home = programs(answers)
  expect(await chooseFfmpeg({ FFMPEG_PATH: join(home, 'ffmpeg') }, folder)).toEqual({
    ffmpegPath: join(home, 'ffmpeg'),
    ffprobePath: join(home, 'ffprobe'),
    version: '7.1',
    isLaptopOnly: false,
  })
})

test('the system’s comes before the one that npm brings, but not if it is too old', async () => {
  const found = await chooseFfmpeg({ PATH: programs(answers) }, folder)
  expect(found).toMatchObject({ ffmpegPath: 'ffmpeg', version: '7.1', isLaptopOnly: false })
  const old = programs(answers.replace('7.1', '4.4'))
  expect(await chooseFfmpeg({ PATH: old }, folder)).toMatchObject({ isLaptopOnly: true })
})

test('what is not an ffmpeg is refused', async () => {
  const path = join(programs('echo something else'), 'ffmpeg')
  await expect(chooseFfmpeg({ FFMPEG_PATH: path }, folder)).rejects.toThrow('does not run as ffmpeg')
})

test('one that is slow is not taken for one that is not there', async () => {
  const home = programs(silent)
  const late = 'did not tell its version within 0.5 s'
  await expect(chooseFfmpeg({ FFMPEG_PATH: join(home, 'ffmpeg') }, folder, 500)).rejects.toThrow(late)
  await expect(chooseFfmpeg({ PATH: `${home}:/bin` }, folder, 500)).rejects.toThrow(late)
})
