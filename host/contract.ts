// What the parts of the local platform promise each other: the loaded app, the durable engine, and their seam.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** One value on its way between host and worker (the one-of of the worker protocol). */
export type TypedData = {
  string?: string
  json?: string
  bytes?: Uint8Array
  int?: number
  double?: number
  http?: Record<string, unknown>
}

export type TriggerType = 'httpTrigger' | 'timerTrigger' | 'orchestrationTrigger' | 'activityTrigger'

export interface LoadedFunction {
  readonly name: string
  readonly trigger: TriggerType
  /** The trigger's own binding: route, methods, schedule and so on. */
  readonly binding: Readonly<Record<string, unknown>>
  readonly inputs: ReadonlyArray<{ name: string; type: string }>
}

/** `raw` is what the handler's result was before it was serialised; the engine notices by object identity what JSON hides. */
export type InvocationResult =
  | { ok: true; returnValue: TypedData | undefined; raw: unknown }
  | { ok: false; error: unknown }

export interface LoadedApp {
  readonly folder: string
  readonly functions: ReadonlyMap<string, LoadedFunction>
  /** Runs one function with its trigger's value; never throws. */
  invoke(name: string, trigger: TypedData): Promise<InvocationResult>
  close(): Promise<void>
}

/** `host.json`, as far as the local platform heeds it. */
export interface HostJson {
  readonly routePrefix: string
  readonly functionTimeoutSeconds: number | undefined
  readonly customHeaders: Readonly<Record<string, string>>
  readonly durable: {
    readonly hubName: string
    readonly maxConcurrentActivities: number
    readonly maxConcurrentOrchestrators: number
    readonly defaultVersion: string | undefined
  }
}

export interface DurableOptions {
  readonly app: LoadedApp
  readonly hostJson: HostJson
  /** Folder of the engine's database; made when absent. */
  readonly directory: string
  /** Origin that management links start with, such as `http://localhost:7071`. */
  readonly origin: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export interface Durable {
  /** Resumes what an earlier process left. Work starts only after this. */
  start(): Promise<void>
  /** Answers `/runtime/webhooks/durabletask/…` and `/durabletask/…`; false when the path is not its own. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
  /** The JSON text that a `durableClient` input holds. */
  clientBinding(): string
  close(): Promise<void>
}
