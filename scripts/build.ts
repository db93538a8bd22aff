// Builds what is deployed: the app as one file, and the console's files beside it.

import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `dist/main.mjs` needs no node_modules: only the worker's own `@azure/functions-core` stays outside. */
async function buildApp(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['functions/index.ts'],
    outfile: 'dist/main.mjs',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: ['@azure/functions-core'],
    sourcemap: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Dependencies that are CommonJS call require; a private alias keeps it from clashing with their own.
    banner: {
      js: "import { createRequire as movidoneCreateRequire } from 'node:module'; const require = movidoneCreateRequire(import.meta.url); import { fileURLToPath as movidoneFile } from 'node:url'; import { dirname as movidoneDir } from 'node:path'; const __filename = movidoneFile(import.meta.url); const __dirname = movidoneDir(__filename);",
    },
  })
}

async function buildWeb(): Promise<void> {
  if (!existsSync(`${root}/web/main.ts`)) return
  await mkdir(`${root}/dist/web`, { recursive: true })
  await build({
    absWorkingDir: root,
    entryPoints: ['web/main.ts'],
    outfile: 'dist/web/main.js',
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
    legalComments: 'none',
  })
  for (const name of await readdir(`${root}/web`))
    if (/\.(html|css|svg|ico|png)$/.test(name)) await cp(`${root}/web/${name}`, `${root}/dist/web/${name}`)
}

await rm(`${root}/dist/web`, { recursive: true, force: true })
await Promise.all([buildApp(), buildWeb()])
