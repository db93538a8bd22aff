// What is uploaded to Azure: dist/movidone.zip with the bundle, its web pages, host.json and the ffmpeg of FFMPEG_PATH.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { linuxProgram } from './elf.ts'
import { type ZipEntry, zip } from './zip.ts'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist/movidone.zip' } } })

const { programs, warnings } = encoders(process.env['FFMPEG_PATH'], process.env['FFPROBE_PATH'])

// A folder of its own: nothing stale gets in, and a platform that runs from dist/ is not disturbed.
const built = mkdtempSync(join(tmpdir(), 'movidone-package-'))
process.on('exit', () => rmSync(built, { recursive: true, force: true }))
const build = spawnSync(process.execPath, [join(root, 'scripts/build.ts'), built], { stdio: 'inherit' })
if (build.status !== 0) fail('the build failed, so there is nothing to package.')

const bytes = zip([
  { name: 'package.json', bytes: manifest() },
  ...files(root, ['host.json', 'LICENSE*', 'THIRD-PARTY*']),
  ...files(built, ['main.mjs', 'web/**'], 'dist/'),
  ...programs,
])
const out = resolve(root, values.out)
mkdirSync(dirname(out), { recursive: true })
writeFileSync(out, bytes)
for (const warning of warnings) console.warn(`package: WARNING: ${warning}`)
const digest = createHash('sha256').update(bytes).digest('hex')
console.log(`package: ${out}, ${(bytes.length / 2 ** 20).toFixed(1)} MiB, sha256 ${digest}`)

function files(folder: string, patterns: string[], prefix = ''): ZipEntry[] {
  return globSync(patterns, { cwd: folder, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name))
    .map((path) => ({
      name: prefix + relative(folder, path).split(sep).join('/'),
      bytes: readFileSync(path),
    }))
}

/** Only what the host reads: with dependencies in it, a remote build would install them beside the bundle. */
function manifest(): Buffer {
  const { name, version, license, type, main } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Buffer.from(`${JSON.stringify({ name, version, license, type, main }, undefined, 2)}\n`)
}

function encoders(ffmpeg: string | undefined, ffprobe: string | undefined) {
  const programs: ZipEntry[] = []
  const warnings: string[] = []
  if (!ffmpeg) {
    warnings.push(
      'no ffmpeg in it, so the app will not encode. FFMPEG_PATH names one: a static build for Linux on x64.',
    )
    return { programs, warnings }
  }
  const paths = {
    ffmpeg,
    ffprobe: ffprobe ?? join(dirname(ffmpeg), basename(ffmpeg).replace('ffmpeg', 'ffprobe')),
  }
  for (const [name, path] of Object.entries(paths)) {
    if (path.includes('@ffmpeg-installer'))
      fail(`${path} is of 2018 and for a laptop only: it is not deployed.`)
    if (!existsSync(path))
      fail(`${path} is not there; ${name.toUpperCase()}_PATH names the ${name} to package.`)
    const bytes = readFileSync(path)
    const found = linuxProgram(bytes)
    if (found !== 'static') warnings.push(`${path} ${found}, so it will not start in Azure.`)
    programs.push({ name: `bin/${name}`, bytes, executable: true })
  }
  return { programs, warnings }
}

function fail(reason: string): never {
  console.error(`package: ${reason}`)
  process.exit(1)
}
