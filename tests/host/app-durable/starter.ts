// An activity that holds a durable client, and starts an orchestration which nobody waits for.
import * as df from 'durable-functions'

const client = df.input.durableClient()

df.app.activity('StartChain', {
  extraInputs: [client],
  handler: (instanceId: string, context) => df.getClient(context).startNew('Chain', { instanceId }),
})

df.app.orchestration('Starter', function* (context) {
  return yield context.df.callActivity('StartChain', context.df.getInput())
})
