// The module `@azure/functions-core` that only a worker has: where an app registers its functions, hooks and model.
import Module from 'node:module'
import { createHooks, type Hooks } from './hooks.ts'
import type { Level, Log } from './log.ts'

export interface Binding {
  readonly type: string
  readonly direction: 'in' | 'out' | 'inout'
  readonly [option: string]: unknown
}

export interface RetryOptions {
  readonly maxRetryCount: number
  readonly retryStrategy: 'fixedDelay' | 'exponentialBackoff'
  readonly delayInterval?: { readonly seconds: number }
  readonly minimumInterval?: { readonly seconds: number }
  readonly maximumInterval?: { readonly seconds: number }
}

export interface FunctionMetadata {
  readonly name: string
  readonly functionId?: string
  readonly bindings: Readonly<Record<string, Binding>>
  readonly retryOptions?: RetryOptions
}

export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>
  getResponse(context: object, result: unknown): Promise<{ returnValue?: unknown }>
}

export interface ProgrammingModel {
  readonly name: string
  readonly version: string
  getInvocationModel(context: object): InvocationModel
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>
}

export type FunctionCallback = (...args: unknown[]) => unknown
export type Registered = { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback }

export interface Core {
  readonly functions: ReadonlyMap<string, Registered>
  readonly hooks: Hooks
  model(): ProgrammingModel | undefined
  /** After this, registering is an error. */
  lock(): void
}

// The worker versions that the observed behaviour belongs to.
const version = '3.10.1'
const hostVersion = '4.1037.0.0'

export function installCoreModule(log: Log): Core {
  const functions = new Map<string, Registered>()
  const hooks = createHooks()
  let model: ProgrammingModel | undefined
  let locked = false

  class Disposable {
    readonly #dispose: () => unknown
    constructor(dispose: () => unknown) {
      this.#dispose = dispose
    }
    static from(...all: { dispose(): unknown }[]): Disposable {
      return new Disposable(() => {
        for (const one of all) one.dispose()
      })
    }
    dispose(): unknown {
      return this.#dispose()
    }
  }

  const api = {
    version,
    hostVersion,
    Disposable,
    registerHook: (name: string, callback: (context: object) => unknown) =>
      new Disposable(hooks.add(name, callback)),
    setProgrammingModel(next: ProgrammingModel) {
      if (model)
        log('warning', 'Host.Worker', 'Two copies of @azure/functions are loaded: the last one wins.')
      model = next
    },
    getProgrammingModel: () => model,
    log: (level: Level, category: string, message: string) => {
      const line = { level, message, category }
      hooks.runNow('log', line)
      log(line.level, category === 'user' ? 'Function.User' : 'Host.Worker', line.message)
    },
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback) {
      if (locked) throw new Error('A function can only be registered during app startup.')
      const id = metadata.functionId ?? metadata.name
      if (functions.has(id)) throw new Error(`A function with id "${id}" has already been registered.`)
      functions.set(id, { metadata: { ...metadata, functionId: id }, callback })
      return new Disposable(() => {
        if (locked) throw new Error('A function can only be disposed during app startup.')
        functions.delete(id)
      })
    },
  }
  answerRequire('@azure/functions-core', api)
  return {
    functions,
    hooks,
    model: () => model,
    lock: () => {
      locked = true
    },
  }
}

/** As the real worker does it: bundled ESM reaches this too, through `createRequire`. */
function answerRequire(name: string, exports: unknown): void {
  const prototype = Module.prototype as unknown as { require(this: unknown, id: string): unknown }
  const original = prototype.require
  prototype.require = function require(this: unknown, id: string): unknown {
    return id === name ? exports : original.call(this, id)
  }
}
