// What stops the host at start, each time with one line that names the function and what is wrong (rules 6 and 9).
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../host/platform/free-port.ts'
import { appFolder, freshFolder, listening, repository, send, startApp } from './running-app.ts'

const main = join(repository, 'host/main.ts')

/** The exit code and the last line of what a host that ends by itself has said. */
function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return new Promise((done) => child.once('close', (code) => done({ code, lines: text.trim().split('\n') })))
}

async function refusal(folder: string, env?: Record<string, string>): Promise<string> {
  const { code, lines } = await run(['app', folder, '--port', '0'], env)
  expect(code).toBe(1)
  return lines.at(-1)!
}

function folderWith(files: Record<string, string>): string {
  const folder = freshFolder()
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

describe('an app is refused', () => {
  it.concurrent.each([
    [
      'queue',
      /^Function 'fromQueue' has the input binding 'queueTrigger\w+' of type 'queueTrigger', which the local host/,
    ],
    ['output', /^Function 'toQueue' has the output binding 'sink' of type 'queue'/],
    ['entity', /^Function 'counter' .* of type 'entityTrigger'/],
    ['slash', /^Function 'lead': the route '\/lead' has a leading slash.*rule 6/],
    ['reserved', /^Function 'own': routes that start with admin or runtime/],
    ['template', /^Function 'broken': the route 'a\/\{b' is not valid: a brace is never closed/],
    ['constraint', /^Function 'odd': .*no route constraint 'odd'/],
    ['cased', /^Functions 'Undef' and 'undef' differ only in case.*rule 6/],
    [
      'twice',
      /"index.js" could not be loaded: A function with id "same" has already been registered.*rule 9/,
    ],
    ['schedule', /^Timer 'bad': 'not a cron' was not recognized/],
    ['setting', /^'%NOPE%' does not resolve to a value/],
    ['name', /^'no spaces' is not a valid function name/],
    ['throws', /"index.js" could not be loaded: import boom \(rule 9\)/],
    ['none', /^No function was registered.*rule 9/],
  ])('%s', async (reason, line) => {
    expect(await refusal(appFolder('refused'), { REFUSED: reason })).toMatch(line)
  })

  it('whose host.json, package.json or entry point is missing or wrong', async () => {
    const host = { 'host.json': '{"version":"2.0"}' }
    expect(await refusal(folderWith({}))).toMatch(/host\.json cannot be read/)
    expect(await refusal(folderWith({ 'host.json': '{"version":"1.0"}' }))).toMatch(
      /^host\.json is not valid: version/,
    )
    expect(await refusal(folderWith(host))).toMatch(/package\.json cannot be read/)
    const other = folderWith({ ...host, 'package.json': '{"main":"dist/nope.js"}' })
    expect(await refusal(other)).toMatch(/^No file matches "main": "dist\/nope\.js"/)
  })
})

describe('the command line', () => {
  it('names the setting when the port is in use', async () => {
    const { server, port } = await listening()
    const { code, lines } = await run(['app', appFolder('streaming'), '--port', String(port)])
    expect([code, lines]).toEqual([1, [expect.stringMatching(`^Port ${port} is in use: .*--port.*PORT`)]])
    server.close()
  })

  it.each([
    [['app'], /^usage/],
    [['app', '.', '--port', 'x'], /^--port is 'x'/],
    [['app', '.', '--nope'], /--nope.*usage/],
    [['nope'], /^usage/],
  ])('%j explains itself', async (args, line) => {
    const { code, lines } = await run(args)
    expect(code).not.toBe(0)
    expect(lines.at(-1)).toMatch(line)
  })

  it('takes the port from PORT, and listens on loopback only', async () => {
    const port = await freePort(0)
    const child = spawn(process.execPath, [main, 'app', appFolder('buffered')], {
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const line = await new Promise<string>((done) => child.stdout.once('data', (data) => done(String(data))))
    expect(line).toContain(`http://localhost:${port}/`)
    expect((await send(port, '/api/result/text')).text).toBe('hello')
    child.kill('SIGINT')
    expect(await new Promise((done) => child.once('close', done))).toBe(0)
  })

  it('serves CommonJS and ES modules alike, several entry points by a glob', async () => {
    const entry = (name: string) => `app.http('${name}', { handler: () => ({ body: '${name}' }) })`
    const folder = join(repository, '.movidone', `entries-${process.pid}`)
    mkdirSync(join(folder, 'src'), { recursive: true })
    writeFileSync(join(folder, 'host.json'), '{"version":"2.0"}')
    writeFileSync(join(folder, 'package.json'), '{"main":"src/*.{js,mjs}"}')
    writeFileSync(join(folder, 'src/one.js'), `const { app } = require('@azure/functions');\n${entry('one')}`)
    writeFileSync(
      join(folder, 'src/two.mjs'),
      `import { app } from '@azure/functions'\nawait 1\n${entry('two')}`,
    )
    const app = await startApp(folder)
    expect([(await app.ask('/api/one')).text, (await app.ask('/api/two')).text]).toEqual(['one', 'two'])
    await app.stop()
    rmSync(folder, { recursive: true })
  })
})
