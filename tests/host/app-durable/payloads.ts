// Values on their way through every door of the engine: in, out and between.
import * as df from 'durable-functions'

const kindOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

df.app.activity('Echo', { handler: (value: unknown) => value })
df.app.activity('KindOf', { handler: (value: unknown) => kindOf(value) })
df.app.activity('Bytes', { handler: () => Buffer.from([1, 2, 3]) })
df.app.activity('Nothing', { handler: () => undefined })

df.app.orchestration('ReturnsInput', function* (context) {
  return context.df.getInput()
})
df.app.orchestration('InputKind', function* (context) {
  return kindOf(context.df.getInput())
})

df.app.orchestration('EchoAll', function* (context) {
  const echoed: unknown[] = []
  for (const value of context.df.getInput() as unknown[])
    echoed.push(yield context.df.callActivity('Echo', value))
  return echoed
})

df.app.orchestration('KindsOf', function* (context) {
  const kinds: unknown[] = []
  for (const value of context.df.getInput() as unknown[])
    kinds.push(yield context.df.callActivity('KindOf', value))
  kinds.push(yield context.df.callActivity('KindOf'))
  return kinds
})

df.app.orchestration('OddResults', function* (context) {
  return [yield context.df.callActivity('Bytes'), yield context.df.callActivity('Nothing')]
})

df.app.orchestration('ThroughChild', function* (context) {
  const through: unknown[] = []
  for (const value of context.df.getInput() as unknown[])
    through.push(yield context.df.callSubOrchestrator('ReturnsInput', value))
  return through
})

df.app.orchestration('ThroughAgain', function* (context) {
  const { round, value } = context.df.getInput() as { round: number; value: unknown }
  if (round > 0) return value
  context.df.continueAsNew({ round: 1, value })
  return undefined
})

df.app.orchestration('StringAgain', function* (context) {
  const text = context.df.getInput() as string
  if (text.length > 3) return text
  context.df.continueAsNew(`${text}"{}`)
  return undefined
})

df.app.orchestration('EventValues', function* (context) {
  const values: unknown[] = []
  for (let left = context.df.getInput() as number; left > 0; left--)
    values.push(yield context.df.waitForExternalEvent('value'))
  return values
})

class Declined extends Error {
  override readonly name = 'Declined'
  readonly properties = { code: 'card-declined' }
}
df.app.activity('Declines', {
  handler: () => {
    throw new Declined('no money')
  },
})
df.app.setExceptionPropertiesProvider({
  getExceptionProperties: (error: unknown) => (error instanceof Declined ? error.properties : undefined),
})

df.app.orchestration('Described', function* (context) {
  try {
    yield context.df.callActivity('Declines')
    return undefined
  } catch (error) {
    const { name, message, failureDetails } = error as df.TaskFailedError
    return { name, message, errorType: failureDetails.errorType, properties: failureDetails.properties }
  }
})

df.app.orchestration('FailureText', function* (context) {
  try {
    yield context.df.callActivity('Boom', 'x')
    return undefined
  } catch (error) {
    return (error as Error).message
  }
})
