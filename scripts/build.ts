// Builds what is deployed: the app as one file, and the console's files beside it; into dist/, or the folder given.

import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? `${root}/dist`)

/** `main.mjs` needs no node_modules: only the worker's own `@azure/functions-core` stays outside. */
async function buildApp(): Promise<void> {
  const startedAt = new Date()
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['functions/index.ts'],
    outfile: `${out}/main.mjs`,
    write: false,
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
    // Dependencies that are CommonJS want these three; under names of our own, since some of the others declare them.
    banner: {
      js: [
        "import { createRequire as movidoneCreateRequire } from 'node:module'",
        'const require = movidoneCreateRequire(import.meta.url)',
        'const movidoneFilename = import.meta.filename',
        'const movidoneDirname = import.meta.dirname',
      ].join(';'),
    },
    define: { __filename: 'movidoneFilename', __dirname: 'movidoneDirname' },
  })
  // Whole or not at all, and as old as the sources it was made of, even where they changed meanwhile.
  for (const { path, contents } of outputFiles) {
    await mkdir(out, { recursive: true })
    await writeFile(`${path}.${process.pid}`, contents)
    await utimes(`${path}.${process.pid}`, startedAt, startedAt)
    await rename(`${path}.${process.pid}`, path)
  }
}

async function buildWeb(): Promise<void> {
  if (!existsSync(`${root}/web/main.ts`)) return
  await mkdir(`${out}/web`, { recursive: true })
  await build({
    absWorkingDir: root,
    entryPoints: ['web/main.ts'],
    outdir: `${out}/web`,
    // hls.js is large and wanted by the first film only: it stays a file of its own.
    splitting: true,
    chunkNames: '[name]-[hash]',
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
    legalComments: 'none',
  })
  const others = (await readdir(`${root}/web`)).filter((name) => /\.(css|svg|ico|png)$/.test(name))
  // The page comes last: where it is, all that it asks for is there.
  for (const name of [...others, 'index.html']) await cp(`${root}/web/${name}`, `${out}/web/${name}`)
}

await rm(`${out}/web`, { recursive: true, force: true })
await Promise.all([buildApp(), buildWeb()])
