// What is uploaded to Azure: dist/movidone.zip with the app, and dist/worker/ with what machines run; both with the ffmpeg of FFMPEG_PATH.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { linuxProgram } from './elf.ts'
import { packageWorker } from './worker-package.ts'
import { type ZipEntry, zip } from './zip.ts'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist/movidone.zip' },
    worker: { type: 'string', default: 'dist/worker' },
    'app-only': { type: 'boolean', default: false },
  },
})

const { programs, warnings } = encoders(process.env['FFMPEG_PATH'], process.env['FFPROBE_PATH'])

// A folder of its own: nothing stale gets in, and a platform that runs from dist/ is not disturbed.
const built = mkdtempSync(join(tmpdir(), 'movidone-package-'))
process.on('exit', () => rmSync(built, { recursive: true, force: true }))
const build = spawnSync(process.execPath, [join(root, 'scripts/build.ts'), built], { stdio: 'inherit' })
if (build.status !== 0) fail('the build failed, so there is nothing to package.')

const notices = files(root, ['LICENSE*', 'THIRD-PARTY*'])
const { name, version, license, type, main } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const bytes = zip([
  // Only what the host reads: with dependencies in it, a remote build would install them beside the bundle.
  { name: 'package.json', bytes: json({ name, version, license, type, main }) },
  ...files(root, ['host.json']),
  ...notices,
  ...files(built, ['main.mjs', 'web/**'], 'dist/'),
  ...programs,
])
const out = resolve(root, values.out)
mkdirSync(dirname(out), { recursive: true })
writeFileSync(out, bytes)
for (const warning of warnings) console.warn(`package: WARNING: ${warning}`)
const digest = createHash('sha256').update(bytes).digest('hex')
console.log(`package: ${out}, ${(bytes.length / 2 ** 20).toFixed(1)} MiB, sha256 ${digest}`)
if (!values['app-only']) {
  const manifest = json({ name: `${name}-worker`, version, license, type })
  const made = packageWorker(resolve(root, values.worker), { built, manifest, programs, notices })
  console.log(`package: ${made}`)
}

function files(folder: string, patterns: string[], prefix = ''): ZipEntry[] {
  return globSync(patterns, { cwd: folder, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name))
    .map((path) => ({
      name: prefix + relative(folder, path).split(sep).join('/'),
      bytes: readFileSync(path),
    }))
}

function json(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`)
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
