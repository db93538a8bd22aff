// What the durable engine sees of an app: its functions, minus the switched-off ones, and a way to run them.
import type { InvocationResult, LoadedApp, LoadedFunction } from '../contract.ts'
import type { RunnableFunction } from './bindings.ts'
import type { Invoke } from './invoke.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** `AzureWebJobs.<name>.Disabled`, as the portal sets it; with `__` where a dot is not allowed. */
export function isDisabled(name: string, env: Environment): boolean {
  const value = env[`AzureWebJobs.${name}.Disabled`] ?? env[`AzureWebJobs__${name}__Disabled`]
  return value === '1' || value?.toLowerCase() === 'true'
}

const durableTriggers: readonly string[] = ['orchestrationTrigger', 'activityTrigger']

export function needsDurable(functions: readonly RunnableFunction[]): boolean {
  return functions.some(({ trigger, inputs }) => durableTriggers.includes(trigger) || inputs.length > 0)
}

export function createLoadedApp(
  folder: string,
  targets: readonly RunnableFunction[],
  invoke: Invoke,
): LoadedApp {
  const byName = new Map(targets.map((target) => [target.name, target]))
  return {
    folder,
    functions: byName as ReadonlyMap<string, LoadedFunction>,
    async invoke(name, trigger): Promise<InvocationResult> {
      const target = byName.get(name)
      if (!target) return { ok: false, error: new Error(`There is no function '${name}'.`) }
      return invoke(target, { trigger })
    },
    close: async () => {},
  }
}
