import type { Logger } from '../log/log.js'
import type { Context } from './api/context.js'
import type { Claim, Mode, Route } from './api/handlers.js'
import type { Parts } from './api/plugin.js'
import type { Reply } from './api/reply.js'
import { attempt, ErrorBoundary } from './error-boundary.js'
import type { RequestContext } from './request-context.js'

/** A route, a mode or a claim, and what catches its defects. */
export type Registered<T> = T & { readonly boundary: ErrorBoundary }

/** What answers requests in the place of the gateway: the routes, modes and claims of all plugins. */
export class HandlerRegistry {
  readonly routes = new Map<string, Registered<Route>[]>()
  readonly modes = new Map<string, Registered<Mode>>()
  /** In the order of the plugins. */
  readonly claims: Registered<Claim>[] = []
  readonly #owners = new Map<string, string>()

  /** @throws Error with one line when another plugin owns a path or a parameter */
  register(plugin: string, { routes = [], modes = [], claims = [] }: Parts, log: Logger): void {
    const boundaryOf = (what: string) => new ErrorBoundary(plugin, what, log)
    for (const route of routes) this.#own(`${route.method} ${route.path}`, plugin, route.path)
    for (const mode of modes) {
      const parameter = `?${mode.param}`
      this.#own(parameter, plugin)
      this.modes.set(mode.param, registeredMode(mode, boundaryOf(parameter)))
    }
    for (const route of routes) {
      const others = this.routes.get(route.path) ?? []
      this.routes.set(route.path, [...others, registeredRoute(route, boundaryOf(route.path))])
    }
    for (const claim of claims) this.claims.push(registeredClaim(claim, boundaryOf('a claim')))
  }

  /** Each thing has one owner, and a path belongs to one plugin, whatever the method. */
  #own(what: string, owner: string, path?: string): void {
    for (const key of path === undefined ? [what] : [what, path]) {
      const other = this.#owners.get(key)
      if (other !== undefined && (other !== owner || key === what)) {
        throw new Error(`plugins ${other} and ${owner} both own ${what}; load one of them`)
      }
      this.#owners.set(key, owner)
    }
  }
}

function registeredRoute(route: Route, boundary: ErrorBoundary): Registered<Route> {
  return {
    ...route,
    handle: (request, reply, context) =>
      answered(boundary, context, reply, () => route.handle(request, reply, context)),
    boundary,
  }
}

function registeredMode(mode: Mode, boundary: ErrorBoundary): Registered<Mode> {
  return {
    ...mode,
    ...(mode.right && { right: mode.right.bind(mode) }),
    ...(mode.applies && { applies: mode.applies.bind(mode) }),
    handle: (request, reply, join, pipe) =>
      answered(boundary, join, reply, () => mode.handle(request, reply, join, pipe)),
    boundary,
  }
}

function registeredClaim(claim: Claim, boundary: ErrorBoundary): Registered<Claim> {
  return {
    claims: claim.claims.bind(claim),
    ...(claim.right && { right: claim.right.bind(claim) }),
    ...(claim.name && { name: claim.name.bind(claim) }),
    handle: (request, body, reply, join) =>
      answered(boundary, join, reply, () => claim.handle(request, body, reply, join)),
    ...(claim.upgrade && {
      upgrade: (request, offer, reply, join) =>
        answered(boundary, join, reply, () => claim.upgrade!(request, offer, reply, join)),
    }),
    boundary,
  }
}

/** Calls a handler. If it fails, the request is answered with 500, or cut when the response has begun. */
function answered(boundary: ErrorBoundary, context: Context, reply: Reply, run: () => void): void {
  ;(context as RequestContext).refusedBy = boundary.plugin
  attempt(run, (error) => {
    if (!reply.give(boundary.fault(context.id, error))) reply.cut()
  })
}
