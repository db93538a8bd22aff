// Writes the contract, openapi.json; with --check it only compares, and fails on a difference.
import { readFileSync, writeFileSync } from 'node:fs'
import { contract } from '../functions/stages.ts'

const file = new URL('../openapi.json', import.meta.url)
const text = `${JSON.stringify(contract(), null, 2)}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(file, text)
  console.log('openapi.json is written.')
} else if (readFileSync(file, 'utf8') === text) {
  console.log('openapi.json is what the routes say.')
} else {
  console.error(
    'openapi.json differs from the routes: run `npm run openapi`, read the difference, commit it.',
  )
  process.exitCode = 1
}
