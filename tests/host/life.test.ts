// How a host lives and ends: limits of concurrency and time, crashes (rules 10 and 11), shutdown, keep-alive.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Answer, appFolder, startApp } from './running-app.ts'

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).sort()

describe('an app with limits', () => {
  it('runs two, queues two, refuses the rest; then rule 11 ends it after a second', async () => {
    const app = await startApp(appFolder('prefixless'))
    expect((await app.ask('/hello')).text).toBe('hello')
    expect((await app.ask('/api/hello')).status).toBe(404)
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.ask('/sleep/200')))
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429, 429, 429])
    expect(answers.find(({ status }) => status === 429)!.headers['x-function-scaleout']).toBe('1')

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
    const app = await startApp(appFolder('streaming'))
    expect((await app.ask('/api/result/text')).status).toBe(200)
    const inFlight = app.ask('/api/sleep/30000')
    await sleep(100)
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
    const app = await startApp(appFolder('streaming'))
    const idle = connect(app.port, '127.0.0.1')
    idle.write('GET /api/result/text HTTP/1.1\r\nhost: x\r\n\r\n')
    const greeting = await new Promise<string>((done) => idle.once('data', (data) => done(data.toString())))
    // Longer than the usual balancers keep an idle connection.
    expect(Number(/keep-alive: timeout=(\d+)/i.exec(greeting)?.[1])).toBeGreaterThanOrEqual(75)
    const inFlight = app.ask('/api/sleep/700', { headers: { connection: 'keep-alive' } })
    await sleep(150)
    app.process.kill('SIGTERM')
    await sleep(150)
    await expect(app.ask('/api/result/text')).rejects.toThrow(/ECONNREFUSED/)
    const { status, text, headers } = await inFlight
    expect([status, text, headers.connection]).toEqual([200, 'slept', 'close'])
    expect(await app.ended).toBe(0)
  })

  it('comes with the end of the process that started it', async () => {
    const app = await startApp(appFolder('streaming'))
    app.process.stdin!.end()
    await app.ended
    await expect(app.ask('/api/result/text')).rejects.toThrow(/ECONNREFUSED/)
  })
})
