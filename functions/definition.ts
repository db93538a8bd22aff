// What a stage may declare: HTTP routes, orchestrators, activities and timers, all as plain values.
import type { OrchestrationHandler } from 'durable-functions'
import type { z } from 'zod'
import type { App } from '../shared/app.ts'
import type { Stage } from '../shared/config/index.ts'
import type { Orchestrations, Route, Start } from '../shared/http/route.ts'

export interface Orchestrator {
  readonly kind: 'orchestrator'
  readonly name: string
  readonly run: OrchestrationHandler
}

export interface Activity {
  readonly kind: 'activity'
  readonly name: string
  /** True when `run` starts orchestrations. */
  readonly durable?: boolean
  readonly run: (app: App, input: unknown, orchestrations: Orchestrations) => Promise<unknown>
}

export interface Timer {
  readonly kind: 'timer'
  readonly name: string
  /** NCRONTAB, six fields, UTC. */
  readonly schedule: string
  /** What is to be started because of it. */
  readonly run: (app: App) => Promise<Start[]>
}

export type AnyRoute = Route<App, never, never>
export type Definition = AnyRoute | Orchestrator | Activity | Timer

/** What one app of several serves is chosen by the names of its stages. */
export interface StageDefinitions {
  readonly servedBy: Stage
  readonly definitions: readonly Definition[]
}

/** Keeps the types of body and query together with `run`, then forgets them. */
export const http = <B extends z.ZodType, Q extends z.ZodType>(
  route: Omit<Route<App, B, Q>, 'kind'>,
): AnyRoute => ({ ...route, kind: 'http' }) as unknown as AnyRoute
