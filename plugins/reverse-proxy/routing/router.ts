import type { Join, Reply, RequestView } from '../../../gateway/host/plugin-api.js'
import { requestHeaders, sayPrefix } from '../headers/request-headers.js'
import type { OutgoingRequest } from '../relay/outgoing-request.js'
import type { ProxyHost, Service } from '../service/service.js'
import { CDN_LOOP, type LoopDetector } from './loop-detector.js'
import { pipeNameOf } from './pipe-name.js'
import { RouteTable } from './route-table.js'
import { pathProblem, targetPath, withoutDots } from './target-path.js'

/** One route, and what stands behind it; undefined when the gateway itself answers. */
export interface Route {
  readonly host?: string | undefined
  readonly prefix: string
  readonly service: Service | undefined
}

/** A request as it is sent on, and the service that it goes to. */
export interface RoutedRequest extends OutgoingRequest {
  readonly service: Service
}

/** Finds the service of a request, and makes of the request what is sent there. */
export class Router {
  readonly #table: RouteTable<Route>
  #lastRequest: RequestView | undefined
  #lastRoute: Route | undefined

  constructor(
    readonly host: ProxyHost,
    readonly loops: LoopDetector,
    routes: readonly Route[],
  ) {
    this.#table = new RouteTable(routes)
  }

  serviceOf(request: RequestView): Service | undefined {
    return this.#routeOf(request)?.service
  }

  /** The name of the pipe that a request is about, where upstreams are pipegates. */
  pipeName(request: RequestView): string | undefined {
    return this.serviceOf(request)?.byName === true ? pipeNameOf(request.path, this.host.prefix) : undefined
  }

  /** @returns undefined when it has been refused */
  outgoing(request: RequestView, reply: Reply, join: Join): RoutedRequest | undefined {
    const { host, loops } = this
    const { service, prefix } = this.#routeOf(request) as Route & { service: Service }
    const lines: [string, string][] = []
    let passed = ''
    request.eachHeader((name, value) => {
      if (name === CDN_LOOP) passed += passed === '' ? value : `, ${value}`
      else lines.push([name, value])
    })
    const loop = loops.problem(passed)
    if (loop !== undefined) {
      reply.give(
        loop === 'loop' ? host.refuse('loop') : host.refuse('tooManyHops', { found: loop, expected: loops.maxHops }),
      )
      return undefined
    }
    const path = withoutDots(request.path)
    const found = request.method === 'CONNECT' ? 'the method CONNECT' : pathProblem(path)
    if (found !== undefined) {
      reply.give(host.refuse('badRequest', { found }))
      return undefined
    }
    const headers = requestHeaders(lines, this.#originOf(request))
    headers[CDN_LOOP] = loops.next(passed)
    if (service.config.authorization === 'remove') delete headers.authorization
    const stripped = service.config.strip ? prefix.replace(/\/$/, '') : ''
    if (stripped !== '') sayPrefix(headers, stripped)
    const url = targetPath({ path, query: request.query }, stripped)
    const key = service.byName ? join.name : undefined
    return { service, method: request.method, url, headers, prefix: stripped, key }
  }

  /** Called several times for each request, so the last answer is kept. */
  #routeOf(request: RequestView): Route | undefined {
    if (request === this.#lastRequest) return this.#lastRoute
    this.#lastRequest = request
    this.#lastRoute = this.#table.find(withoutDots(request.path), request)
    return this.#lastRoute
  }

  #originOf(request: RequestView) {
    const { gateway } = this.host
    const { remoteAddress } = request
    const isTrusted = gateway.isTrustedProxy(remoteAddress)
    return { remoteAddress, scheme: gateway.schemeOf(request), isTrusted }
  }
}
