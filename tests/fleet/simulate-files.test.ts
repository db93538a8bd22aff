// Scenario files: those that are shipped are right, and those that are not are refused with a sentence that names the field.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { readScenario } from '../../bench/simulate/scenario.ts'
import { edges, group } from './simulate-scenario.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scenarios = join(root, 'bench/simulate/scenarios')
const folder = mkdtempSync(join(tmpdir(), 'movidone-simulate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const good = {
  ...{ title: 'One', hours: 0.2, fleet: edges() },
  viewers: { curve: [{ atMinutes: 0, viewers: 10 }] },
}

const simulate = (...options: string[]) =>
  new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const args = ['scripts/simulate.ts', '--plots', folder, ...options]
    const child = execFile(process.execPath, args, { cwd: root }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    )
  })

describe('a file', () => {
  test('as it should be is read', () => {
    expect(readScenario('x', JSON.stringify(good))).toMatchObject({
      name: 'x',
      currency: 'EUR',
      beatSeconds: 5,
    })
  })

  test.each([
    ['an unknown field', { ...good, viewrs: {} }, /Unrecognized key: "viewrs"/],
    ['one deep inside', { ...good, fleet: edges({ minimun: 1 }) }, /"minimun"[\s\S]*fleet\.pools\[0\]/],
    ['no length', { ...good, hours: undefined }, /hours/],
    ['nobody and nothing', { ...good, viewers: undefined }, /needs `viewers`, `work` or both/],
    [
      'work without encoders',
      { ...good, work: { uploads: [{ atMinutes: 0, filmMinutes: 1 }] } },
      /needs a pool named encoder/,
    ],
    [
      'a curve that goes back',
      {
        ...good,
        viewers: {
          curve: [
            { atMinutes: 5, viewers: 1 },
            { atMinutes: 5, viewers: 2 },
          ],
        },
      },
      /must be later than the point before it[\s\S]*viewers\.curve\[1\]\.atMinutes/,
    ],
    [
      'a zone that is nowhere',
      { ...good, events: [{ kind: 'no-capacity', atMinutes: 0, forMinutes: 1, zone: '9' }] },
      /is that of no group[\s\S]*events\[0\]\.zone/,
    ],
    ['an unknown event', { ...good, events: [{ kind: 'flood', atMinutes: 0 }] }, /events\[0\]\.kind/],
    [
      'boots that end before they begin',
      { ...good, cloud: { boot: { leastSeconds: 9, mostSeconds: 8 } } },
      /has its least above its most/,
    ],
    [
      'two groups of one name',
      { ...good, fleet: edges({}, [group('a'), group('a')]) },
      /names a group twice/,
    ],
  ])('with %s is refused', (_, file, sentence) => {
    expect(() => readScenario('mine', JSON.stringify(file))).toThrow(/The scenario mine is not right/)
    expect(() => readScenario('mine', JSON.stringify(file))).toThrow(sentence)
  })

  test('that is not JSON is refused', () => {
    expect(() => readScenario('mine', '{"title":')).toThrow(/The scenario mine is not JSON/)
  })

  test.each(readdirSync(scenarios))('%s is right', (name) => {
    expect(() => readScenario(name, readFileSync(join(scenarios, name), 'utf8'))).not.toThrow()
  })
})

describe('the command', () => {
  test('runs a file of one’s own, prints the figures, and draws a picture that is well formed', async () => {
    const file = join(folder, 'mine.json')
    writeFileSync(file, JSON.stringify({ ...good, title: 'Mine & <others>' }))
    const { status, stdout } = await simulate('--scenario', file, '--json', '--seed', '3')
    expect(status).toBe(0)
    const [{ pools }] = JSON.parse(stdout)
    expect(pools[0].runs.map(({ strategy }: { strategy: string }) => strategy)).toEqual([
      ...['ours', 'always-on', 'threshold', 'threshold-share', 'tracking'],
    ])
    const svg = readFileSync(join(folder, 'mine-edge.svg'), 'utf8')
    expect(svg).toContain('Mine &amp; &lt;others&gt;')
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  })

  test.each([
    [
      ['--scenario', 'nowhere.json'],
      /There is no scenario nowhere\.json\. Name a file, or one of: .*premiere/,
    ],
    [['--sede', '1'], /Unknown option '--sede'/],
    [['--seed', 'x'], /--seed must be a whole number/],
  ])('%j is refused in a sentence', async (options, sentence) => {
    const { status, stderr } = await simulate(...options)
    expect(status).toBe(1)
    expect(stderr).toMatch(sentence)
    expect(stderr).not.toMatch(/\n {4}at /)
  })

  test('lists what there is', async () => {
    expect((await simulate('--list')).stdout).toMatch(/^premiere {2,}\S/m)
  })
})
