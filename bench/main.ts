// Runs every bench, or those that are named, and prints each row as a JSON line, then all of them as a table.
import { benchCheck } from './check.ts'
import { benchEncode } from './encode.ts'
import { benchEngine } from './engine.ts'
import { benchFirstSegment } from './first-segment.ts'
import { benchLeases } from './leases.ts'
import { benchMint } from './mint.ts'
import type { BenchRow } from './row.ts'
import { benchStart } from './start.ts'
import { benchWorkers } from './workers.ts'

const benches = {
  start: benchStart,
  engine: benchEngine,
  mint: benchMint,
  check: benchCheck,
  leases: benchLeases,
  'first-segment': benchFirstSegment,
  encode: benchEncode,
  workers: benchWorkers,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`)
  process.exit(1)
}

const rows: BenchRow[] = []
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  for (const row of await bench()) {
    rows.push(row)
    console.log(JSON.stringify(row))
  }
}

const width = Math.max(...rows.map(({ name }) => name.length))
console.log('')
for (const { name, value, unit, note } of rows)
  console.log(
    `${name.padEnd(width)}  ${String(value).padStart(9)} ${unit.padEnd(12)} ${note ?? ''}`.trimEnd(),
  )
