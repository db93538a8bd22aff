// Which registered functions this host can run; one that it can't run stops the start, and is named.
import type { LoadedFunction, TriggerType } from '../contract.ts'
import type { Binding, Registered, RetryOptions } from './core-module.ts'
import { startupError } from './startup-error.ts'

export interface RunnableFunction extends LoadedFunction {
  readonly triggerName: string
  readonly registered: Registered
  readonly retry: RetryOptions | undefined
}

const triggers: readonly string[] = [
  'httpTrigger',
  'timerTrigger',
  'orchestrationTrigger',
  'activityTrigger',
] satisfies TriggerType[]
/** `orchestrationClient` is the older name of the same binding. */
const clientTypes = ['durableclient', 'orchestrationclient']
const namePattern = /^[a-z][a-z0-9_-]{0,127}$/i
const bindingNamePattern = /^(?:[a-z][a-z0-9]{0,127}|\$return)$/i

export function checkFunctions(registered: Iterable<Registered>): RunnableFunction[] {
  const functions = [...registered].map(checkFunction)
  const byLowerName = new Map<string, string>()
  for (const { name } of functions) {
    const twin = byLowerName.get(name.toLowerCase())
    if (twin !== undefined) {
      throw startupError(
        `Functions '${twin}' and '${name}' differ only in case: the real host does not start with them (rule 6).`,
      )
    }
    byLowerName.set(name.toLowerCase(), name)
  }
  return functions.sort((a, b) => compareNames(a.name, b.name))
}

function checkFunction(registered: Registered): RunnableFunction {
  const { name, bindings, retryOptions } = registered.metadata
  if (!namePattern.test(name) || name.toLowerCase() === 'host') {
    throw startupError(`'${name}' is not a valid function name: letters, digits, - and _, a letter first.`)
  }
  const all = Object.entries(bindings)
  const found = all.filter(([, binding]) => /trigger$/i.test(binding.type))
  const [first] = found
  if (!first || found.length > 1) throw startupError(`Function '${name}' must have exactly one trigger.`)
  const [triggerName, binding] = first
  if (!triggers.includes(binding.type)) throw unsupported(name, triggerName, binding)
  for (const [bindingName, other] of all) {
    if (!bindingNamePattern.test(bindingName)) {
      throw startupError(`Function '${name}': '${bindingName}' is not a valid binding name.`)
    }
    if (other !== binding && !isSupported(bindingName, other, binding))
      throw unsupported(name, bindingName, other)
  }
  if (binding.type === 'httpTrigger' && !bindings['$return']) {
    throw startupError(`Function '${name}' has an httpTrigger but no http return binding: use app.http().`)
  }
  if (retryOptions && binding.type !== 'timerTrigger') {
    throw startupError(`Function '${name}': retry options are supported on timers only.`)
  }
  const inputs = all
    .filter(([, other]) => other !== binding && other.direction === 'in')
    .map(([inputName, { type }]) => ({ name: inputName, type }))
  return {
    name,
    trigger: binding.type as TriggerType,
    binding,
    inputs,
    triggerName,
    registered,
    retry: retryOptions,
  }
}

function isSupported(name: string, binding: Binding, trigger: Binding): boolean {
  if (binding.direction === 'in') return clientTypes.includes(binding.type.toLowerCase())
  return name === '$return' && binding.type === 'http' && trigger.type === 'httpTrigger'
}

function unsupported(name: string, bindingName: string, { type, direction }: Binding): Error {
  return startupError(
    `Function '${name}' has the ${direction === 'out' ? 'output' : 'input'} binding '${bindingName}' of type ` +
      `'${type}', which the local host does not support: it runs HTTP, timer, orchestration and activity ` +
      'triggers and durableClient inputs.',
  )
}

/** Ordinal and without case, as the real host orders functions and therefore routes (rule 5). */
function compareNames(a: string, b: string): number {
  const [left, right] = [a.toUpperCase(), b.toUpperCase()]
  return left < right ? -1 : left > right ? 1 : 0
}
