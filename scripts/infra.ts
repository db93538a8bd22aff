// Whether infra/ is fit to deploy: the real compiler without one diagnostic, formatted, equal to its snapshots.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

// Any other compiler may format or warn differently: the check runs, and says so.
const pinned = '0.49.2'
const sizes = ['dev', 'prod']

// Fixed, so that the snapshots are the same on every machine; the principal stands for the administrator, the key for any.
const deployment = [
  ['--subscription-id', '00000000-0000-0000-0000-000000000001'],
  ['--tenant-id', '00000000-0000-0000-0000-000000000002'],
  ['--location', 'francecentral'],
  ['--deployment-name', 'movidone'],
].flat()
const variables = {
  AZURE_PRINCIPAL_ID: '00000000-0000-0000-0000-000000000003',
  MOVIDONE_FLEET_SSH_KEY:
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA nobody',
}
const azdVariables = { ...variables, AZURE_ENV_NAME: 'dev', AZURE_LOCATION: 'francecentral' }

type Run = { code: number; output: string }

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const folder = resolve(positionals[0] ?? join(import.meta.dirname, '..', 'infra'))

const bicep = findBicep()
if (!bicep) {
  console.log('infra: NOT compiled: no Bicep. Put `bicep` on the PATH, or its path into $BICEP.')
} else {
  const version = run(['--version']).output.match(/\d+\.\d+\.\d+/)?.[0] ?? 'of unknown version'
  if (version !== pinned) console.log(`infra: this is Bicep ${version}; the project is held to ${pinned}.`)
  const failures = values.write ? write() : check()
  for (const failure of failures) console.error(`infra: ${failure}`)
  process.exitCode = failures.length > 0 ? 1 : 0
  console.log(
    failures.length > 0
      ? `infra: compiled with Bicep ${version}: ${failures.length} failed.`
      : `infra: compiled with Bicep ${version}, not one diagnostic${values.write ? '; formatted and snapshots written' : ''}.`,
  )
}

function check(): string[] {
  const found = lint()
  if (found.length > 0) return found
  return [...unformatted(), ...sizes.flatMap((size) => snapshot(size, 'validate'))]
}

function write(): string[] {
  const found = [...format(folder), ...lint()]
  return found.length > 0 ? found : sizes.flatMap((size) => snapshot(size, 'overwrite'))
}

/** Whoever compiles a file reads all that it uses: by themselves only those are read that nothing uses. */
function lint(): string[] {
  const found = [
    ...failuresOf(run(['build-params', 'main.bicepparam', '--stdout'], azdVariables)),
    ...unused().flatMap((file) => failuresOf(run(['lint', file]))),
  ]
  return [...new Set(found)]
}

function unused(): string[] {
  const used = files().flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/'([^']+\.bicep)'/g)].map((name) =>
      join(dirname(file), name[1] ?? ''),
    ),
  )
  return files().filter((file) => file.endsWith('.bicep') && !used.includes(file))
}

function files(): string[] {
  return globSync('**/*.{bicep,bicepparam}', { cwd: folder })
}

/** Almost every mistake is a warning, and warnings exit with 0: so diagnostics are counted, not the exit code trusted. */
function failuresOf({ code, output }: Run): string[] {
  const diagnostics = output.match(/^.* : (Error|Warning|Info) .*$/gm) ?? []
  return diagnostics.length > 0 || code === 0 ? diagnostics : [output.trim()]
}

function unformatted(): string[] {
  const copy = mkdtempSync(join(tmpdir(), 'movidone-infra-'))
  try {
    cpSync(folder, copy, { recursive: true })
    const failed = format(copy)
    if (failed.length > 0) return failed
    return files()
      .filter((file) => readFileSync(join(folder, file), 'utf8') !== readFileSync(join(copy, file), 'utf8'))
      .map((file) => `${file} is not formatted; npm run infra -- --write does it.`)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function format(target: string): string[] {
  // The star behind it takes parameters, too.
  return failuresOf(run(['format', '--pattern', '**/*.bicep*'], {}, target))
}

function snapshot(size: string, mode: 'validate' | 'overwrite'): string[] {
  const failures = failuresOf(
    run(['snapshot', `${size}.bicepparam`, '--mode', mode, ...deployment], variables),
  )
  if (failures.length > 0) {
    const remedy = 'if the change is meant, npm run infra -- --write takes it over.'
    return [...failures, `${size}.bicepparam is not what ${size}.snapshot.json has; ${remedy}`]
  }
  const file = readFileSync(join(folder, `${size}.snapshot.json`), 'utf8')
  const { diagnostics } = JSON.parse(file) as { diagnostics: unknown[] }
  // A module that the compiler could not expand is a diagnostic here, and its resources are missing.
  return diagnostics.map((diagnostic) => `${size}.snapshot.json: ${JSON.stringify(diagnostic)}`)
}

/** In a clean environment: a developer's own AZURE_ENV_NAME must not change the outcome. */
function run(args: string[], env: Record<string, string> = {}, cwd = folder): Run {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'DOTNET_BUNDLE_EXTRACT_BASE_DIR', 'SystemRoot']
  const inherited = kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))
  const { status, stdout, stderr, error } = spawnSync(bicep ?? '', args, {
    cwd,
    // A compiler that ends in seconds never earns what it would spend on observing itself.
    env: {
      DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1',
      DOTNET_TieredPGO: '0',
      ...Object.fromEntries(inherited),
      ...env,
    },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  return { code: status ?? 1, output: `${stderr ?? ''}${stdout ?? ''}${error?.message ?? ''}` }
}

function findBicep(): string | undefined {
  const named = process.env['BICEP']
  if (named) return named.includes('/') ? resolve(named) : named
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((path) => [join(path, 'bicep'), join(path, 'bicep.exe')])
    .find((path) => existsSync(path))
}
