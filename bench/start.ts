// What a start costs: loading the deployed bundle, and `npm start` from nothing to an API that is ready.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startPlatform } from '../tests/support/platform.ts'
import { median } from './median.ts'
import type { BenchRow } from './row.ts'

const root = join(import.meta.dirname, '..')
const runs = 5

async function timeNode(args: string[], env: Record<string, string> = {}): Promise<number> {
  const startMs = performance.now()
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'ignore' })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`)
  return performance.now() - startMs
}

/** Settings of an app in Azure: nothing is opened while loading, so nothing of it has to exist. */
const deployed = {
  BLOB_URL: 'https://media.blob.core.windows.net',
  COSMOS_ENDPOINT: 'https://data.documents.azure.com/',
  VAULT_URL: 'https://keys.vault.azure.net/',
}

export async function benchStart(): Promise<BenchRow[]> {
  await timeNode(['scripts/build.ts'])
  const bare: number[] = []
  const loaded: number[] = []
  const load = "import('./dist/main.mjs').then(() => process.exit(0), () => process.exit(1))"
  for (let run = 0; run < runs; run++) {
    bare.push(await timeNode(['-e', '0']))
    loaded.push(await timeNode(['-r', './tests/support/functions-core.cjs', '-e', load], deployed))
  }
  const ready: number[] = []
  for (let run = 0; run < 3; run++) {
    const startMs = performance.now()
    const platform = await startPlatform({ env: { ENCODE_WORKERS: '' } })
    ready.push(performance.now() - startMs)
    await platform.stop()
  }
  const importMs = median(loaded) - median(bare)
  return [
    { name: 'import of the bundle', value: Math.round(importMs), unit: 'ms', note: 'floor 600, goal 300' },
    {
      name: 'the same / an empty node process',
      value: Math.round((median(loaded) / median(bare)) * 10) / 10,
      unit: '×',
    },
    {
      name: 'start of the platform to a ready API',
      value: Math.round(median(ready) / 100) / 10,
      unit: 's',
      note: 'floor 15, goal 6; the folder is new, the bundle is built',
    },
  ]
}
