// No prefix, few requests at once, and little time for each.
import { setTimeout as sleep } from 'node:timers/promises'
import { app } from '@azure/functions'
import { letGo } from '../handlers.js'

app.setup({ enableHttpStream: true })
app.http('hello', { methods: ['GET'], handler: () => ({ body: 'hello' }) })
app.http('held', {
  methods: ['GET'],
  handler: async () => {
    await letGo()
    return { body: 'let go' }
  },
})
app.http('sleep', {
  methods: ['GET'],
  route: 'sleep/{ms}',
  handler: async (request) => {
    await sleep(Number(request.params.ms))
    return { body: 'slept' }
  },
})
