// How a host lives and ends: limits of concurrency and time, crashes (rules 10 and 11), shutdown, keep-alive.
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Answer, appFolder, freshFolder, type RunningApp, startApp } from './running-app.ts'

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).sort()
/** With a line in the log for each function that begins. */
const loud = { AzureFunctionsJobHost__logging__logLevel__Function: 'Debug' }
const begun = (app: RunningApp, name: string) =>
  expect.poll(() => app.log()).toContain(`Function.${name}  Executing`)

describe('an app with limits', () => {
  it('runs two, queues two, refuses the rest', async () => {
    const letGo = join(freshFolder(), 'go')
    const env = { LET_GO: letGo, AzureFunctionsJobHost__functionTimeout: '00:10:00' }
    const app = await startApp(appFolder('prefixless'), { env })
    expect((await app.ask('/hello')).text).toBe('hello')
    expect((await app.ask('/api/hello')).status).toBe(404)
    const refused: Answer[] = []
    const asked = Array.from({ length: 8 }, async () => {
      const answer = await app.ask('/held')
      if (answer.status === 429) refused.push(answer)
      return answer
    })
    await expect.poll(() => refused.length).toBe(4)
    expect(refused[0]?.headers['x-function-scaleout']).toBe('1')
    writeFileSync(letGo, '')
    expect(statuses(await Promise.all(asked))).toEqual([200, 200, 200, 200, 429, 429, 429, 429])
    await app.stop()
  })

  it('ends when a function runs longer than it may: rule 11, after a second', async () => {
    const app = await startApp(appFolder('prefixless'))
    const startedMs = Date.now()
    const slow = await app.ask('/sleep/30000')
    expect([slow.status, slow.text]).toEqual([500, ''])
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(950)
    expect(await app.ended).toBe(1)
    expect(app.log()).toMatch(/rule 11: function 'sleep' ran longer than functionTimeout \(1 s\)/)
  })
})

describe('rule 10', () => {
  it('an unhandled rejection ends the worker, and every request in flight with 500', async () => {
    const app = await startApp(appFolder('streaming'), { env: loud })
    expect((await app.ask('/api/result/text')).status).toBe(200)
    const inFlight = app.ask('/api/sleep/300000')
    await begun(app, 'sleep')
    expect(statuses(await Promise.all([inFlight, app.ask('/api/crash')]))).toEqual([500, 500])
    expect(await app.ended).toBe(1)
    expect(app.log()).toMatch(/rule 10: unhandled rejection.*nobody waits for this/)
  })

  it('so does process.exit, and the log says who called it', async () => {
    const app = await startApp(appFolder('buffered'))
    await expect(app.ask('/api/exit')).rejects.toThrow()
    expect(await app.ended).toBe(3)
    expect(app.log()).toMatch(/rule 10: the app called process\.exit\(3\)/)
  })
})

describe('shutdown', () => {
  it('on SIGTERM finishes what is in flight, takes nothing new, and exits with 0', async () => {
    const letGo = join(freshFolder(), 'go')
    const app = await startApp(appFolder('streaming'), { env: { ...loud, LET_GO: letGo } })
    const idle = connect(app.port, '127.0.0.1')
    idle.write('GET /api/result/text HTTP/1.1\r\nhost: x\r\n\r\n')
    const greeting = await new Promise<string>((done) => idle.once('data', (data) => done(data.toString())))
    // Longer than the usual balancers keep an idle connection.
    expect(Number(/keep-alive: timeout=(\d+)/i.exec(greeting)?.[1])).toBeGreaterThanOrEqual(75)
    const inFlight = app.ask('/api/held', { headers: { connection: 'keep-alive' } })
    await begun(app, 'held')
    app.process.kill('SIGTERM')
    const told = () => app.ask('/api/result/text').then(({ text }) => text, String)
    await expect.poll(told).toContain('ECONNREFUSED')
    writeFileSync(letGo, '')
    const { status, text, headers } = await inFlight
    expect([status, text, headers.connection]).toEqual([200, 'let go', 'close'])
    expect(await app.ended).toBe(0)
  })

  it('comes with the end of the process that started it', async () => {
    const app = await startApp(appFolder('streaming'))
    app.process.stdin!.end()
    await app.ended
    await expect(app.ask('/api/result/text')).rejects.toThrow(/ECONNREFUSED/)
  })
})
