// One invocation from arguments to result: hooks before and after, the app's handler between, a time limit over all.
import { randomUUID } from 'node:crypto'
import type { InvocationResult, TypedData } from '../contract.ts'
import type { RunnableFunction } from './bindings.ts'
import type { InvocationModel } from './core-module.ts'
import type { App } from './load.ts'
import type { Level, Log } from './log.ts'

export interface RetryContext {
  readonly retryCount: number
  readonly maxRetryCount: number
  readonly exception?: { readonly message: string; readonly source: string; readonly stackTrace: string }
}

export interface Invocation {
  readonly trigger: TypedData
  readonly metadata?: Readonly<Record<string, TypedData>>
  readonly id?: string
  readonly retry?: RetryContext
}

export type Invoke = (target: RunnableFunction, invocation: Invocation) => Promise<InvocationResult>

export interface InvokeOptions {
  readonly app: App
  readonly log: Log
  readonly timeoutSeconds: number | undefined
  readonly clientBinding: () => string
  /** The worker is lost: rule 11. */
  readonly onTimeout: (message: string) => void
}

export function createInvoke({ app, log, timeoutSeconds, clientBinding, onTimeout }: InvokeOptions): Invoke {
  return async (target, invocation) => {
    const id = invocation.id ?? randomUUID()
    const { name } = target
    const limit = timeoutSeconds && setTimeout(onLimit, Math.min(timeoutSeconds * 1000, 2 ** 31 - 1))
    function onLimit(): void {
      onTimeout(
        `rule 11: function '${name}' ran longer than functionTimeout (${timeoutSeconds} s); the worker ends.`,
      )
    }
    log('debug', `Function.${name}`, `Executing (Id=${id})`)
    const result = await run(target, { ...invocation, id }).catch((error: unknown) => ({
      ok: false as const,
      error,
    }))
    clearTimeout(limit)
    log('debug', `Function.${name}`, `Executed (${result.ok ? 'Succeeded' : 'Failed'}, Id=${id})`)
    return result
  }

  async function run(
    target: RunnableFunction,
    invocation: Invocation & { id: string },
  ): Promise<InvocationResult> {
    const coreContext = createCoreContext(target, invocation)
    const model = app.model.getInvocationModel(coreContext)
    const { context, inputs } = await model.getArguments()
    coreContext.invocationContext = context
    const shared = { hookData: {}, appHookData: app.appHookData, invocationContext: context }

    const before = { ...shared, inputs, functionCallback: target.registered.callback }
    await during('preInvocationHooks', () => app.hooks.run('preInvocation', before))

    const after: { inputs: unknown[]; result: unknown; error: unknown } = {
      inputs: before.inputs,
      result: null,
      error: null,
    }
    Object.assign(after, shared)
    await during('invocation', async () => {
      try {
        after.result = await model.invokeFunction(context, before.inputs, before.functionCallback)
      } catch (error) {
        after.error = error ?? new Error(`Function '${target.name}' threw ${error}.`)
      }
    })
    await during('postInvocationHooks', () => app.hooks.run('postInvocation', after))
    if (after.error !== null && after.error !== undefined) return { ok: false, error: after.error }
    return answer(model, context, after.result)

    async function during(state: string, step: () => Promise<void>): Promise<void> {
      coreContext.state = state
      try {
        await step()
      } finally {
        coreContext.state = undefined
      }
    }
  }

  async function answer(model: InvocationModel, context: object, raw: unknown): Promise<InvocationResult> {
    const { returnValue } = await model.getResponse(context, raw)
    return { ok: true, returnValue: (returnValue ?? undefined) as TypedData | undefined, raw }
  }

  function createCoreContext(
    target: RunnableFunction,
    { id, trigger, metadata, retry }: Invocation & { id: string },
  ) {
    const { name, inputs, triggerName, registered } = target
    const clients = inputs.map((input) => ({ name: input.name, data: { string: clientBinding() } }))
    return {
      invocationId: id,
      metadata: registered.metadata,
      state: undefined as string | undefined,
      invocationContext: undefined as object | undefined,
      request: {
        invocationId: id,
        functionId: registered.metadata.functionId,
        inputData: [{ name: triggerName, data: trigger }, ...clients],
        triggerMetadata: metadata ?? {},
        traceContext: { traceParent: '', traceState: '', attributes: {} },
        ...(retry && { retryContext: retry }),
      },
      log(level: Level, category: string, message: string) {
        const line = { level, category, message, invocationContext: this.invocationContext }
        app.hooks.runNow('log', line)
        log(line.level, category === 'user' ? `Function.${name}.User` : `Function.${name}`, line.message)
      },
    }
  }
}
