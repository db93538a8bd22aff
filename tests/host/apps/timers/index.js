// Timers of every kind, each writing what it was given into one list that an HTTP function shows.
import { setTimeout as sleep } from 'node:timers/promises'
import { app } from '@azure/functions'

const runs = []
const note = (name, more) => (timer, context) => {
  runs.push({ name, at: Date.now(), timer, id: context.invocationId, retry: context.retryContext ?? null })
  return more?.()
}
app.timer('everySecond', { schedule: '* * * * * *', handler: note('everySecond') })
app.timer('interval', { schedule: '00:00:01', handler: note('interval') })
app.timer('overlapping', { schedule: '* * * * * *', handler: note('overlapping', () => sleep(2300)) })
app.timer('setting', { schedule: '%YEARLY%', handler: note('setting') })
app.timer('startup', { schedule: '0 0 1 1 *', runOnStartup: true, handler: note('startup') })
app.timer('hourly', { schedule: '%HOURLY%', handler: note('hourly') })
app.timer('unmonitored', {
  schedule: '0 0 * * * *',
  useMonitor: false,
  runOnStartup: true,
  handler: note('unmonitored'),
})
app.timer('failing', {
  schedule: '0 0 1 1 *',
  runOnStartup: true,
  retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: 1000 },
  handler: note('failing', () => {
    throw new Error('not this time')
  }),
})
app.timer('off', { schedule: '* * * * * *', runOnStartup: true, handler: note('off') })
app.http('runs', { methods: ['GET'], handler: () => ({ jsonBody: runs }) })
