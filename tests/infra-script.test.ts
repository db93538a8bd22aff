// What `npm run infra` says and how it ends: without a compiler, and with the real one on a small folder, sound and broken.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'movidone-infra-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const path = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(path(name), 'utf8')

function infra(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/infra.ts'), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  return { status, said: stderr + stdout, lastLine: stdout.trim().split('\n').at(-1) }
}

test('without Bicep it says so and is content', () => {
  const { status, lastLine } = infra([], { BICEP: '', PATH: '/nowhere' })
  expect(lastLine).toMatch(/^infra: NOT compiled: no Bicep/)
  expect(status).toBe(0)
})

test('a compiler that is named and not there is a failure', () => {
  const { status, said } = infra([], { BICEP: '/nowhere/bicep' })
  expect(said).toMatch(/ENOENT/)
  expect(status).toBe(1)
})

const group = `@description('Where.')
param location string = deployment().location

targetScope = 'subscription'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg'
  location: location
  tags: { days: '30' }
}
`

// In order: each goes on where the one before it ended.
test.runIf(process.env['BICEP'])(
  'without an SSH key there are no machines, no group for them, and nobody who may do anything with them',
  () => {
    cpSync(join(root, 'infra'), path('whole'), { recursive: true })
    const prod = path('whole/prod.bicepparam')
    writeFileSync(prod, readFileSync(prod, 'utf8').replace('MOVIDONE_FLEET_SSH_KEY', 'NOT_GIVEN'))
    // The others have their key, and `npm run infra` looks at them.
    writeFileSync(path('whole/small.bicep'), group)
    for (const name of ['main', 'dev'])
      writeFileSync(path(`whole/${name}.bicepparam`), "using 'small.bicep'\n")
    const { status, said } = infra(['--write', path('whole')])
    expect(status, said).toBe(0)
    const { predictedResources } = JSON.parse(read('whole/prod.snapshot.json')) as {
      predictedResources: { id: string; type: string; properties: Record<string, string> }[]
    }
    const types = predictedResources.map(({ type }) => type)
    expect(types.filter((type) => /\.Compute|\.Network|roleDefinitions/.test(type))).toEqual([])
    expect(types.filter((type) => /resourceGroups$|userAssignedIdentities$/.test(type))).toHaveLength(2)
    expect(predictedResources.filter(({ id }) => /-(fleet|encoder|edge)\b/.test(id))).toEqual([])
    const { properties } = predictedResources.find(({ type }) => type === 'Microsoft.Web/sites/config') ?? {}
    expect(properties).toMatchObject({
      FLEET_POOLS: '',
      FLEET_SUBSCRIPTION: '',
      FLEET_GROUP: '',
      ENCODE_EXECUTOR: 'function',
      ENCODE_WINDOW: '32',
    })
  },
)

describe.runIf(process.env['BICEP'])('with the real compiler', () => {
  test('it formats and takes the snapshots', () => {
    cpSync(join(root, 'infra/bicepconfig.json'), path('bicepconfig.json'))
    writeFileSync(path('main.bicep'), group.replace("'rg'", "   'rg'"))
    for (const name of ['main', 'dev', 'prod'])
      writeFileSync(path(`${name}.bicepparam`), "using 'main.bicep'\n")
    const { status, said, lastLine } = infra(['--write', folder])
    expect(said).not.toMatch(/Warning|Error/)
    expect(lastLine).toMatch(/^infra: compiled with Bicep [\d.]+, not one diagnostic; formatted/)
    expect(status).toBe(0)
    expect(read('main.bicep')).toBe(group)
    expect(read('dev.snapshot.json')).toContain('"days": "30"')
  })

  test('another outcome and another format fail', () => {
    writeFileSync(path('main.bicep'), group.replace("'30'", "  '31'"))
    const { status, said } = infra([folder])
    expect(said).toMatch(/main\.bicep is not formatted/)
    expect(said).toMatch(/tags\.days/)
    expect(said).toMatch(/dev\.bicepparam is not what dev\.snapshot\.json has/)
    expect(status).toBe(1)
  })

  test('a mistake that the compiler only warns of fails, in a file that nothing uses as well', () => {
    for (const name of ['main', 'alone'])
      writeFileSync(
        path(`${name}.bicep`),
        group.replace('  tags:', '  properties: { nonsense: true }\n  tags:'),
      )
    const { status, said, lastLine } = infra([folder])
    expect(said).toMatch(/main\.bicep\(\d+,\d+\) : Warning BCP\d+/)
    expect(said).toMatch(/alone\.bicep\(\d+,\d+\) : Warning BCP\d+/)
    expect(lastLine).toMatch(/failed\.$/)
    expect(status).toBe(1)
  })
})
