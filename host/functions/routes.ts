// Which function answers a request: the first in the alphabetical order of names whose template and methods fit.
import type { RunnableFunction } from './bindings.ts'
import { matchTemplate, sameText, type Values } from './match.ts'
import { overlap } from './overlap.ts'
import { messageOf, startupError } from './startup-error.ts'
import { parseTemplate, type Segment } from './template.ts'

export interface Route {
  readonly target: RunnableFunction
  /** With the prefix: `api/v1/uploads/{id}`. */
  readonly template: string
  readonly methods: readonly string[]
  readonly segments: readonly Segment[]
}

export type Match = { readonly route: Route; readonly params: Values }

export interface Router {
  readonly routes: readonly Route[]
  /** One sentence for every pair of routes that fit the same path and method. */
  readonly warnings: readonly string[]
  find(method: string, path: string): Match | undefined
}

/** `functions` come in the order of their names (rule 5). */
export function createRouter(functions: readonly RunnableFunction[], routePrefix: string): Router {
  const routes: Route[] = []
  const warnings: string[] = []
  for (const target of functions) {
    if (target.trigger !== 'httpTrigger') continue
    const route = readRoute(target, routePrefix)
    const twin = routes.find(
      (other) => sameText(other.template, route.template) && shareMethods(other, route),
    )
    if (twin) {
      warnings.push(
        `The '${target.name}' function is in error and gets no requests: its route '${route.template}' conflicts ` +
          `with the route of function '${twin.target.name}'.`,
      )
      continue
    }
    for (const other of routes) {
      if (!shareMethods(other, route) || !overlap(other.segments, route.segments)) continue
      warnings.push(
        `rule 5: routes '${other.template}' of '${other.target.name}' and '${route.template}' of '${target.name}' fit ` +
          `the same paths: '${other.target.name}' gets them all, since its name comes first.`,
      )
    }
    routes.push(route)
  }
  return {
    routes,
    warnings,
    find(method, path) {
      for (const route of routes) {
        if (!route.methods.includes(method)) continue
        const params = matchTemplate(route.segments, path)
        if (params) return { route, params }
      }
      return undefined
    },
  }
}

const shareMethods = (a: Route, b: Route): boolean => a.methods.some((method) => b.methods.includes(method))

function readRoute(target: RunnableFunction, routePrefix: string): Route {
  const given = target.binding['route']
  const route = typeof given === 'string' && given.trim() !== '' ? given : target.name
  const methods = (target.binding['methods'] as readonly string[] | undefined) ?? []
  if (route.startsWith('/')) {
    throw startupError(
      `Function '${target.name}': the route '${route}' has a leading slash, which stops the real host (rule 6).`,
    )
  }
  if (/^\/*(?:admin|runtime)/i.test(route)) {
    throw startupError(
      `Function '${target.name}': routes that start with admin or runtime belong to the host.`,
    )
  }
  const template = routePrefix === '' ? route : `${routePrefix}/${route}`
  try {
    const segments = parseTemplate(template)
    return { target, template, segments, methods: methods.map((method) => method.toUpperCase()) }
  } catch (error) {
    throw startupError(`Function '${target.name}': the route '${route}' is not valid: ${messageOf(error)}.`)
  }
}
