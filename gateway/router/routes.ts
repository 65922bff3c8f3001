import { Refusal } from '../../core/index.js'
import type { Registered } from '../host/handlers.js'
import type { Route } from '../host/plugin-api.js'
import type { Address } from '../http/address.js'
import { FAILURES } from '../http/failures.js'
import { show } from '../http/parameters.js'
import { persistenceAfter } from '../http/response/persistence.js'
import type { Incoming, Outcome } from './incoming.js'
import { allow, isUpload, methodNotAllowed } from './methods.js'
import type { RouterOptions, RouterPlugins } from './options.js'

/** Paths that belong to a plugin. */
export class RouteHandler {
  constructor(
    readonly plugins: RouterPlugins | null,
    readonly options: Pick<RouterOptions, 'prefix'>,
  ) {}

  /** The routes of a name, one for each method; undefined when no plugin has it. */
  find({ name }: Address): readonly Registered<Route>[] | undefined {
    return this.plugins?.routes.get(`/${name}`)
  }

  handle({ exchange, framing, context }: Incoming, address: Address, routes: readonly Registered<Route>[]): Outcome {
    const { request } = exchange
    const { underPrefix, name } = address
    if (!underPrefix && !routes.some((route) => route.bare === true)) {
      return new Refusal(FAILURES.notHere, { found: show(request.path), instead: `${this.options.prefix}/${name}` })
    }
    const methods = methodsOf(routes)
    if (request.method === 'OPTIONS') return allow(methods)
    const wanted = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find(({ method }) => method === wanted)
    if (route === undefined) {
      if (address.kind === 'reserved' && isUpload(request)) return new Refusal(FAILURES.reservedName, { found: name })
      return methodNotAllowed(request, methods)
    }
    const failed = (error: unknown) => route.boundary.fault(exchange.id, error)
    const reply = exchange.toReply(request.header('accept'), persistenceAfter(framing), failed)
    route.handle(request, reply, context!)
    return undefined
  }
}

function methodsOf(routes: readonly Registered<Route>[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return [...new Set(methods), 'OPTIONS'].join(', ')
}
