// Every hook that an app can register, and what the environment of a worker holds.
import { app } from '@azure/functions'

const seen = []
app.setup({ enableHttpStream: true })
app.hook.appStart((context) => {
  context.hookData.started = true
  seen.push('appStart')
})
app.hook.appTerminate(() => console.error('appTerminate has run'))
app.hook.preInvocation((context) => {
  if (context.invocationContext.functionName === 'refused') throw new Error('the hook says no')
  context.hookData.order = ['first']
})
const second = app.hook.preInvocation((context) => {
  context.hookData.order.push('second')
  const handler = context.functionHandler
  context.functionHandler = (request, invocation) => handler(request, invocation, context.hookData.order)
})
app.hook.preInvocation(() => seen.push('never')).dispose()
app.hook.postInvocation((context) => {
  if (context.error) {
    context.result = { status: 418, body: context.error.message }
    context.error = undefined
  }
})
app.hook.log((context) => {
  if (context.category === 'user') context.message = context.message.replace('secret', '***')
})

const http = (name, handler) => app.http(name, { methods: ['GET'], handler })
http('order', (_request, _context, order) => ({
  jsonBody: { order, seen, disposable: typeof second.dispose },
}))
http('refused', () => ({ body: 'not reached' }))
http('rescued', () => {
  throw new Error('rescued')
})
http('logs', (_request, context) => {
  context.log('the secret is out')
  context.warn('a warning')
  context.debug('not at this level')
  return { body: 'logged' }
})
http('context', (_request, context) => ({
  jsonBody: {
    traceContext: context.traceContext,
    retryContext: context.retryContext ?? null,
    trigger: context.options.trigger.name,
    name: context.functionName,
    hostname: process.env.WEBSITE_HOSTNAME,
    runtime: process.env.FUNCTIONS_WORKER_RUNTIME,
    environment: process.env.AZURE_FUNCTIONS_ENVIRONMENT,
    root: process.env.AzureWebJobsScriptRoot,
    cwd: process.cwd(),
    local: process.env.FROM_FILE ?? null,
  },
}))
