// The docs can not rot: blocks tagged `sh run` are run as they stand, and every link inside the project leads somewhere.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Pools } from '../shared/config/fleet.ts'

const root = join(import.meta.dirname, '..')
const pages = ['README.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: root })]
const read = (page: string) => readFileSync(join(root, page), 'utf8')

const blocks = pages.flatMap((page) =>
  [...read(page).matchAll(/```sh run\n([\s\S]*?)```/g)].map((match) => ({ page, commands: match[1] ?? '' })),
)

describe('commands of the docs', () => {
  test('there are some', () => expect(blocks.length).toBeGreaterThan(1))
  test.each(blocks)('$page: $commands', ({ commands }) => {
    const { status, stderr } = spawnSync('bash', ['-euc', commands], { cwd: root, encoding: 'utf8' })
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  })
})

test.each(pages)('links of %s lead somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g)].map(
    (match) => match[1] ?? '',
  )
  expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([])
})

test('the paths of tests that the docs name are there', () => {
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/`(tests\/[\w./-]+)`/g)].map((match) => match[1] ?? ''),
  )
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
})

test('the pools of docs/7-fleet.md are ones that the app takes, and no key of theirs is left out', () => {
  const page = read('docs/7-fleet.md')
  const { pools } = Pools.parse(JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ''))
  expect(pools.map(({ name }) => name)).toEqual(['encoder', 'edge'])
  const pool = Pools.shape.pools.element
  const keys = [...Object.keys(pool.shape), ...Object.keys(pool.shape.groups.element.shape)]
  expect(keys.filter((key) => !page.includes(`\`${key}\``) && !page.includes(`"${key}":`))).toEqual([])
})
