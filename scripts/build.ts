// Builds what is deployed: the app and the fleet's worker as one file each, and the console's files beside them; into dist/, or the folder given.

import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? `${root}/dist`)

/**
 * Each needs no node_modules: only the Functions worker's own `@azure/functions-core` stays outside. Together, since most
 * of what they are made of is the same.
 */
async function bundle(entryPoints: Record<string, string>): Promise<void> {
  const startedAt = new Date()
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: out,
    outExtension: { '.js': '.mjs' },
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
  // Whole or not at all, and as old as the sources it was made of, even where they changed meanwhile. The app comes last:
  // a build is as old as it is.
  const isApp = ({ path }: { path: string }) => basename(path).startsWith('main.')
  for (const { path, contents } of outputFiles.toSorted((a, b) => Number(isApp(a)) - Number(isApp(b)))) {
    await mkdir(out, { recursive: true })
    await writeFile(`${path}.${process.pid}`, contents)
    await utimes(`${path}.${process.pid}`, startedAt, startedAt)
    await rename(`${path}.${process.pid}`, path)
  }
}

const web: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
  legalComments: 'none',
}

async function buildWeb(): Promise<void> {
  if (!existsSync(`${root}/web/main.ts`)) return
  await mkdir(`${out}/web`, { recursive: true })
  const { metafile } = await build({
    ...web,
    entryPoints: ['web/main.ts', 'web/fleet.ts'],
    outdir: `${out}/web`,
    // hls.js is large and wanted by the first film only: it stays a file of its own.
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    metafile: true,
  })
  const hls = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint?.includes('/hls.js/'))
  if (!hls) throw new Error('the console no longer loads hls.js as a file of its own')
  // Pages of other sites load it as a classic script, and hls.js from the console's own file.
  await build({
    ...web,
    entryPoints: ['web/embed.ts'],
    outdir: `${out}/web`,
    format: 'iife',
    define: { HLS_FILE: JSON.stringify(basename(hls[0])) },
  })
  const others = (await readdir(`${root}/web`)).filter((name) => /\.(css|svg|ico|png)$/.test(name))
  for (const name of others) await cp(`${root}/web/${name}`, `${out}/web/${name}`)
  // What the console links to from its signing keys.
  await cp(`${root}/docs/2-grants.md`, `${out}/web/grants.md`)
  // The pages come last: where they are, all that they ask for is there.
  for (const name of ['fleet.html', 'index.html'])
    await writeFile(`${out}/web/${name}`, await wholePage(name))
}

/** `<!-- access.html -->` stands for that file. */
async function wholePage(file: string): Promise<string> {
  const page = await readFile(`${root}/web/${file}`, 'utf8')
  const names = [...page.matchAll(/<!-- ([\w-]+\.html) -->/g)].map((match) => match[1] ?? '')
  const parts = await Promise.all(names.map((name) => readFile(`${root}/web/${name}`, 'utf8')))
  return names.reduce((whole, name, n) => whole.replace(`<!-- ${name} -->`, () => parts[n] ?? ''), page)
}

await rm(`${out}/web`, { recursive: true, force: true })
await buildWeb()
await bundle({ worker: 'worker/main.ts', main: 'functions/index.ts' })
