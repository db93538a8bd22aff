// The one gate: types, lint and format, unused code, the committed contract, then the tests.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const steps: Array<[string, string, string[]]> = [
  ['types', 'tsc', ['--noEmit', '-p', '.']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  ['unused code', 'knip', []],
  ['build', 'node', ['scripts/build.ts']],
  ['contract', 'node', ['scripts/openapi.ts', '--check']],
  ['tests', 'vitest', ['run', ...process.argv.slice(2)]],
]

for (const [name, command, args] of steps) {
  const started = performance.now()
  console.log(`\n── ${name}`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\n✖ ${name} failed${error ? `: ${error.message}` : ''}`)
    process.exit(1)
  }
  console.log(`   ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
