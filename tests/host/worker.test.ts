// What an app finds of the worker: hooks, logs, environment, and the core module even in a bundle of one file.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHooks } from '../../host/functions/hooks.ts'
import { appFolder, freshFolder, type RunningApp, startApp } from './running-app.ts'

describe('an app with hooks', () => {
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp(appFolder('hooked'), { env: { FUNCTIONS_WORKER_RUNTIME: 'node' } })
  })
  afterAll(() => app.stop())
  const json = async (path: string) => JSON.parse((await app.ask(path)).text)

  it('has them run in order, with what they change', async () => {
    expect(await json('/order')).toEqual({
      order: ['first', 'second'],
      seen: ['appStart'],
      disposable: 'function',
    })
  })

  it('is refused by a hook that throws before, and rescued by one after', async () => {
    expect((await app.ask('/refused')).status).toBe(500)
    await expect.poll(() => app.log()).toMatch(/rule 2: .*the hook says no/)
    const rescued = await app.ask('/rescued')
    expect([rescued.status, rescued.text]).toEqual([418, 'rescued'])
  })

  it('has its log lines by function and level, as its log hook leaves them', async () => {
    await app.ask('/logs')
    await expect.poll(() => app.log()).toMatch(/warning {5}Function\.logs\.User {2}a warning/)
    expect(app.log()).toMatch(/information Function\.logs\.User {2}the \*\*\* is out/)
    expect(app.log()).not.toMatch(/not at this level|secret/)
  })

  it('sees the environment of a worker', async () => {
    const folder = appFolder('hooked')
    expect(await json('/context')).toMatchObject({
      traceContext: { traceParent: '', traceState: '', attributes: {} },
      retryContext: null,
      trigger: expect.stringMatching(/^httpTrigger[0-9a-f]{10}$/),
      name: 'context',
      hostname: `localhost:${app.port}`,
      runtime: 'node',
      environment: 'Development',
      root: folder,
      cwd: folder,
    })
  })

  it('is told of the end', async () => {
    const other = await startApp(appFolder('hooked'))
    await other.stop()
    expect(other.log()).toMatch(/appTerminate has run/)
  })
})

it('an unknown hook is refused in the way by which the library knows an older host', () => {
  const add = () => createHooks().add('nope', () => {})
  expect(add).toThrow(RangeError)
  expect(add).toThrow(expect.objectContaining({ isAzureFunctionsSystemError: true }))
})

describe('a bundle of one file, with no packages beside it', () => {
  it.each(['esm', 'cjs'] as const)('runs as %s', async (format) => {
    const folder = freshFolder()
    const main = format === 'esm' ? 'main.mjs' : 'main.cjs'
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'host.json'), '{"version":"2.0"}')
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ main }))
    writeFileSync(join(folder, 'local.settings.json'), '{"Values":{"FROM_FILE":"yes"}}')
    await build({
      entryPoints: [join(appFolder('hooked'), 'index.js')],
      outfile: join(folder, main),
      bundle: true,
      platform: 'node',
      format,
      external: ['@azure/functions-core'],
      logLevel: 'error',
      ...(format === 'esm' && {
        banner: {
          js: "import { createRequire as load } from 'node:module'; const require = load(import.meta.url)",
        },
      }),
    })
    const app = await startApp(folder)
    expect(JSON.parse((await app.ask('/api/context')).text)).toMatchObject({
      name: 'context',
      local: 'yes',
      cwd: folder,
    })
    expect(await app.stop()).toBe(0)
  })
})
