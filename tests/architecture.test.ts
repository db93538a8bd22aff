// The house's rules about its own tree: who may import whom, what may stand where, and how large a file may be.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const stages = ['upload', 'encode', 'protect', 'deliver', 'webhooks', 'live', 'rooms', 'fleet']

/** From folder (as in the tree) to the folders it may import; itself is always allowed. */
const mayImport: Record<string, readonly string[]> = {
  'shared/core': [],
  'shared/config': ['shared/core'],
  'shared/tenants': ['shared/core'],
  'shared/assets': ['shared/core'],
  ...Object.fromEntries(
    stages.map((stage) => [`shared/${stage}`, ['shared/core', 'shared/tenants', 'shared/assets']]),
  ),
  'shared/http': ['shared/core', 'shared/tenants'],
  'shared/azure': ['shared/core', 'shared/config', 'shared/tenants', 'shared/assets'],
  'shared/media': ['shared/core', 'shared/config', 'shared/assets'],
  'shared/app.ts': ['shared/*', 'package.json'],
  functions: ['shared/app.ts', 'shared/http', 'shared/core', 'shared/config', 'package.json'],
  worker: ['shared/app.ts', 'shared/config', 'shared/http', 'shared/core', 'package.json'],
  host: ['package.json', 'infra/stores.json'],
  web: [],
}

interface Import {
  readonly file: string
  readonly folder: string
  readonly target: string
  readonly typeOnly: boolean
}

const files = (folder: string): string[] =>
  existsSync(`${root}${folder}`)
    ? readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
        .map((name) => `${folder}/${name}`)
        .filter((name) => /\.ts$/.test(name))
    : []

const folderOf = (file: string): string => {
  const [top = '', second = ''] = file.split('/')
  if (top === 'shared') return second.endsWith('.ts') ? file : `shared/${second}`
  return top.endsWith('.json') ? file : top === 'infra' ? file : top
}

const source = new Map(
  ['functions', 'shared', 'host', 'worker', 'web']
    .flatMap(files)
    .map((file) => [file, readFileSync(`${root}${file}`, 'utf8')]),
)

const statement = /^(?:import|export)\b(\s+type\b)?[^'"]*?\sfrom\s+'([^']+)'/gm
const bare = /^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm

const imports: Import[] = [...source].flatMap(([file, text]) => {
  const found = [
    ...[...text.matchAll(statement)].map((match) => ({
      specifier: match[2] ?? '',
      typeOnly: match[1] !== undefined,
    })),
    ...[...text.matchAll(bare)].map((match) => ({ specifier: match[1] ?? match[2] ?? '', typeOnly: false })),
  ]
  return found.map(({ specifier, typeOnly }) => {
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
      : specifier
    return { file, folder: folderOf(file), target, typeOnly }
  })
})
const own = (target: string) =>
  /^(functions|shared|host|worker|web|infra|tests|bench|scripts)\b/.test(target) || target.endsWith('.json')

function breaksTable({ folder, target, typeOnly }: Import): boolean {
  if (!own(target)) return false
  const to = folderOf(target)
  const allowed = mayImport[folder] ?? []
  if (to === folder || allowed.includes(to) || allowed.includes(target)) return false
  if (allowed.includes('shared/*') && to.startsWith('shared/')) return false
  // Triggers know what a stage's requests look like and its orchestrations, and call the rest through the app.
  if (folder === 'functions' && /\/(schema|model|orchestrate)\.ts$/.test(target)) return false
  // Adapters know the shape of any stage's ports, and nothing else of the stage.
  const adapter = folder === 'shared/azure' || folder === 'shared/media'
  return !(adapter && typeOnly && target.endsWith('/ports.ts'))
}

describe('who imports whom', () => {
  test('the imports of the whole tree were read', () => {
    // A reader of imports that finds none would be a false green.
    expect(imports.length).toBeGreaterThan(150)
    expect(imports.some((one) => one.folder === 'shared/app.ts')).toBe(true)
  })

  test('every folder keeps to its table', () => {
    const wrong = imports.filter(breaksTable)
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([])
  })

  test('an import against the table would be seen', () => {
    const planted = (file: string, target: string, typeOnly = false) =>
      breaksTable({ file, folder: folderOf(file), target, typeOnly })
    expect(planted('shared/upload/index.ts', 'shared/assets/ports.ts')).toBe(false)
    expect(planted('shared/upload/index.ts', 'shared/encode/ports.ts', true)).toBe(true)
    expect(planted('shared/core/ids.ts', 'shared/assets/model.ts')).toBe(true)
    expect(planted('shared/azure/blob.ts', 'shared/encode/ports.ts', true)).toBe(false)
    expect(planted('shared/azure/blob.ts', 'shared/encode/plan.ts', true)).toBe(true)
    expect(planted('functions/encode.ts', 'shared/encode/orchestrate.ts')).toBe(false)
    expect(planted('functions/encode.ts', 'shared/encode/plan.ts')).toBe(true)
    expect(planted('host/main.ts', 'shared/core/ids.ts')).toBe(true)
  })

  test('every folder of the tree is in the table', () => {
    const unknown = [...source.keys()].map(folderOf).filter((folder) => !(folder in mayImport))
    expect([...new Set(unknown)]).toEqual([])
  })

  const packages: Array<[RegExp, RegExp, string]> = [
    [/^@azure\/(?!functions)/, /^shared\/azure\/|^host\//, 'Azure SDKs only in shared/azure'],
    [/^node:child_process$/, /^shared\/media\/|^host\//, 'child processes only in shared/media and host'],
    [/^(node:)?(fs|net|http|https)(\/|$)/, /^(?!shared\/core\/)/, 'no I/O in shared/core'],
  ]
  test.each(packages)('%s only where it matches %s', (name, where) => {
    const wrong = imports.filter(({ target, file }) => name.test(target) && !where.test(file))
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([])
  })

  test('the Functions libraries are values only in functions and host', () => {
    const wrong = imports.filter(
      ({ target, file, typeOnly }) =>
        /^(durable-functions|@azure\/functions)/.test(target) &&
        !/^(functions|host)\//.test(file) &&
        !(typeOnly && file.endsWith('/orchestrate.ts')),
    )
    expect(wrong.map(({ file, target }) => `${file} → ${target}`)).toEqual([])
  })
})

describe('what may stand where', () => {
  const bans: Array<[string, RegExp, RegExp]> = [
    ['process.env', /\bprocess\.env\b/, /^shared\/config\/index\.ts$|^host\//],
    ['the wall clock', /\bDate\.now\(|\bnew Date\(\)/, /^shared\/core\/clock\.ts$|^host\/|^web\//],
    ['chance', /\bMath\.random\(|\brandomUUID\(/, /^shared\/core\/random\.ts$|^host\/|^web\//],
    ['console', /\bconsole\s*[.[]/, /^shared\/core\/log\.ts$|^host\/|^web\//],
  ]
  test.each(bans)('%s only in its place', (_, pattern, where) => {
    const wrong = [...source].filter(([file, text]) => pattern.test(code(text)) && !where.test(file))
    expect(wrong.map(([file]) => file)).toEqual([])
  })

  test('every file says in its first line what it decides', () => {
    const silent = [...source]
      .filter(([, text]) => !/^(#!.*\n)?\/\/ \S.{15,}/.test(text))
      .map(([file]) => file)
    expect(silent).toEqual([])
  })

  test('no default exports', () => {
    const wrong = [...source].filter(([, text]) => /^export default\b/m.test(text)).map(([file]) => file)
    expect(wrong).toEqual([])
  })
})

/** Comments and strings removed, roughly: enough for words that stand in prose. */
const code = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replace(/console\/\{/g, '')

describe('sizes', () => {
  const lines = [...source].map(([file, text]) => ({ file, count: text.split('\n').length }))
  test('no file is longer than 400 lines, no trigger file than 120', () => {
    const limit = (file: string) => (file.startsWith('functions/') ? 120 : 400)
    expect(lines.filter(({ file, count }) => count > limit(file))).toEqual([])
  })
  test('the median is at most 80 lines, nine of ten at most 220', () => {
    const counts = lines.map(({ count }) => count).sort((a, b) => a - b)
    expect(counts[Math.floor(counts.length / 2)]).toBeLessThanOrEqual(80)
    expect(counts[Math.floor(counts.length * 0.9)]).toBeLessThanOrEqual(220)
  })
})
