// Hands the durable client's binding to the tests, so that they use the real client from outside.
import { app } from '@azure/functions'
import * as df from 'durable-functions'

const clientInput = df.input.durableClient()

app.http('binding', {
  methods: ['GET'],
  authLevel: 'anonymous',
  extraInputs: [clientInput],
  handler: async (_request, context) => ({ jsonBody: context.extraInputs.get(clientInput) }),
})
