// Runs every bench and prints each row as a JSON line, then all of them as a table.
import { benchCheck } from './check.ts'
import { benchEncode } from './encode.ts'
import { benchEngine } from './engine.ts'
import { benchFirstSegment } from './first-segment.ts'
import { benchLeases } from './leases.ts'
import { benchMint } from './mint.ts'
import type { BenchRow } from './row.ts'
import { benchStart } from './start.ts'
import { benchWorkers } from './workers.ts'

const rows: BenchRow[] = []
for (const bench of [
  benchStart,
  benchEngine,
  benchMint,
  benchCheck,
  benchLeases,
  benchFirstSegment,
  benchEncode,
  benchWorkers,
]) {
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
