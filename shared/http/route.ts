// A route as a value: what it is called, what it takes and gives, who may call it, and the one call it makes.
import type { z } from 'zod'
import type { Random } from '../core/random.ts'
import type { Role, Tenant } from '../tenants/model.ts'
import type { Actor } from '../tenants/ports.ts'

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PATCH' | 'DELETE'
export type Auth = 'none' | 'tenant' | 'admin' | 'node'

/** An answer as it is; `run` may give one where JSON is not the point. Its length is always known. */
export interface HttpReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** What a request brings, free of any platform's types. */
export interface HttpAsk {
  readonly id: string
  readonly method: string
  readonly url: URL
  /** Parameters of the route's template alone. */
  readonly params: Readonly<Record<string, string>>
  header(name: string): string | null
  bytes(limit: number): Promise<Uint8Array>
}

/** An orchestration to be started. Its input is ids, never media and never keys. */
export interface Start {
  readonly name: string
  readonly instanceId: string
  readonly input: unknown
}

export interface Orchestrations {
  /** One that is under way is left alone. */
  startOnce(start: Start): Promise<void>
  /** Tells one that waits for this event; one that has ended hears nothing. */
  raise(instanceId: string, event: string): Promise<void>
}

/** By which key a request came. */
export type Caller = Actor | { readonly kind: 'node'; readonly nodeId: string } | { readonly kind: 'nobody' }

export interface Call<App, Body, Query> {
  readonly app: App
  readonly ask: HttpAsk
  readonly params: Readonly<Record<string, string>>
  readonly body: Body
  readonly query: Query
  /** Origin that the URLs in the answer start with. */
  readonly origin: string
  /** The caller; a route with `auth: 'tenant'` always has one. */
  readonly tenant: Tenant
  readonly caller: Caller
  /** Repeats itself when the request repeats its Idempotency-Key. */
  readonly random: Random
  /** Of route and body: tells a repeated request from another one with the same Idempotency-Key. */
  readonly requestHash: string
  readonly orchestrations: Orchestrations
}

export interface Route<App, B extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType> {
  readonly kind: 'http'
  /** `<stage>-<verb>`. */
  readonly name: string
  readonly methods: readonly Method[]
  /** Template without a leading slash, such as `api/v1/assets/{assetId}`. */
  readonly path: string
  readonly auth: Auth
  /** With `auth: 'tenant'`: who may call it besides the owner. */
  readonly roles?: readonly Role[]
  /** False where a request that is not a GET changes nothing that its tenant would look up later. */
  readonly audited?: boolean
  readonly summary: string
  readonly body?: B
  readonly query?: Q
  /** Statuses with the schema of their body; the first one is what a plain result is sent with. */
  readonly reply: Readonly<Record<number, z.ZodType | null>>
  /** Sent with every problem of this route. */
  readonly problemHeaders?: Readonly<Record<string, string>>
  /** True when `run` starts orchestrations. */
  readonly durable?: boolean
  run(call: Call<App, z.output<B>, z.output<Q>>): Promise<unknown> | unknown
}

/** Marks an answer that is sent as it stands. */
const raw = new WeakSet<object>()
export function asIs(reply: HttpReply): HttpReply {
  raw.add(reply)
  return reply
}
export const isAsIs = (value: unknown): value is HttpReply =>
  typeof value === 'object' && value !== null && raw.has(value)

/** A plain result is sent with the first status of the route. */
export const replyStatus = (route: Pick<Route<never>, 'reply'>, result: unknown): number =>
  isAsIs(result) ? result.status : Number(Object.keys(route.reply)[0])

/** Names in a template: `{id}`, `{id:int}`, `{*rest}`. */
export const templateParams = (path: string): string[] =>
  [...path.matchAll(/\{\*{0,2}([a-zA-Z]+)[^}]*\}/g)].map((match) => match[1] as string)

/**
 * The template's own parameters. In streaming mode the host mixes query keys and body fields into its `params`: a name
 * that the path fills wins over them, but a catch-all may be empty, and then theirs would stand in its place.
 */
export function routeParams(
  template: string,
  pathname: string,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const isShort = pathname.split('/').filter(Boolean).length < template.split('/').length
  const absent = isShort ? /\{\*+(\w+)\}$/.exec(template)?.[1] : undefined
  const values = templateParams(template).map((name) => [name, name === absent ? '' : (given[name] ?? '')])
  return Object.fromEntries(values)
}
