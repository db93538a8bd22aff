// Runs the app's hooks in the order of their registration; one that throws ends what it belongs to.
const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'] as const
export type HookName = (typeof hookNames)[number]
type Callback = (context: object) => unknown

export interface Hooks {
  add(name: string, callback: Callback): () => void
  run(name: HookName, context: object): Promise<void>
  /** Log hooks can change a line before it is written, so nothing waits for them. */
  runNow(name: HookName, context: object): void
}

export function createHooks(): Hooks {
  const callbacks = new Map<HookName, Callback[]>(hookNames.map((name) => [name, []]))
  const of = (name: HookName): Callback[] => callbacks.get(name) as Callback[]
  return {
    add(name, callback) {
      const list = callbacks.get(name as HookName)
      // The library recognises an older host by exactly this pair of name and flag.
      if (!list)
        throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), {
          isAzureFunctionsSystemError: true,
        })
      list.push(callback)
      return () => {
        const at = list.indexOf(callback)
        if (at >= 0) list.splice(at, 1)
      }
    },
    async run(name, context) {
      for (const callback of of(name)) await callback(context)
    },
    runNow(name, context) {
      for (const callback of of(name)) callback(context)
    },
  }
}
