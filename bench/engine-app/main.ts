// The least work that an orchestration can do, so that what is measured is the engine; and what it cost so far.
import { app } from '@azure/functions'
import * as df from 'durable-functions'

df.app.activity('Increment', { handler: (n: number) => n + 1 })

df.app.orchestration('FanOut', function* (context) {
  const numbers = Array.from({ length: context.df.getInput() as number }, (_, n) => n)
  const results = (yield context.df.Task.all(
    numbers.map((n) => context.df.callActivity('Increment', n)),
  )) as number[]
  return results.length
})

df.app.orchestration('Chain', function* (context) {
  let n = 0
  while (n < (context.df.getInput() as number)) n = (yield context.df.callActivity('Increment', n)) as number
  return n
})

app.http('cost', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => {
    const { user, system } = process.cpuUsage()
    return { jsonBody: { cpuMs: (user + system) / 1000, residentMb: process.memoryUsage.rss() / 1e6 } }
  },
})
