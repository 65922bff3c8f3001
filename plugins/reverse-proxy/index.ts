import {
  type Body,
  definePlugin,
  type Join,
  PLUGIN_API,
  type Reply,
  type RequestView,
} from '../../gateway/host/plugin-api.js'
import { type Config, type ForwardingConfig, schema } from './config.js'
import { FAILURES, type FailureKey } from './failures.js'
import { Forwarding, type Outgoing } from './forwarding/forwarded-request.js'
import { requestHeaders } from './headers/request-headers.js'
import { HOPS, Hops } from './routing/loop-detector.js'
import { pipeNameOf, rightFor } from './routing/pipe-name.js'
import { RouteTable } from './routing/route-table.js'
import { Service } from './service/service.js'
import { nameOf, pathProblem, targetPath } from './routing/target-path.js'
import { Tunnel } from './websocket/tunnel.js'

/** How often it is looked whether something takes too long. */
const TICK_MS = 250

/** One route, and what stands behind it; nothing when the gateway itself answers. */
interface Routed {
  readonly host?: string | undefined
  readonly prefix: string
  readonly service: Service | undefined
}

/** Forwards requests to other servers, after everybody has been asked who may say no. */
export default definePlugin<Config, FailureKey>({
  name: 'reverse-proxy',
  api: PLUGIN_API,
  summary: 'forwards requests by host and path to other servers',
  config: schema,
  failures: FAILURES,

  setup(host) {
    const hops = new Hops(host.config.maxHops)
    const routes = host.config.routes.map((config): Routed => {
      const { host: name, prefix } = config
      const service = config.self ? undefined : new Service(config as ForwardingConfig, host, { [HOPS]: hops.own })
      return { host: name, prefix, service }
    })
    const services = routes.flatMap(({ service }) => service ?? [])
    const table = new RouteTable(routes)
    let asked: RequestView | undefined
    let route: Routed | undefined

    /** Asked for several times of each request. */
    function routeOf(request: RequestView): Routed | undefined {
      if (request === asked) return route
      asked = request
      route = table.find(request)
      return route
    }

    /** The name of a pipe that it is about, where upstreams are pipegates. */
    const pipeName = (request: RequestView) =>
      routeOf(request)?.service?.byName === true ? pipeNameOf(request.path, host.prefix) : undefined

    return {
      hooks: {
        // Before anything is answered here, health too: a gateway that is its own upstream is to find that out.
        onRequest: (request) => (request.header(HOPS).includes(hops.own) ? host.refuse('loop') : undefined),
      },
      claims: [
        {
          claims(request) {
            const service = routeOf(request)?.service
            return service !== undefined && (!service.byName || pipeName(request) !== undefined)
          },
          name: (request) => pipeName(request) ?? nameOf(request.path),
          right: (request) => (pipeName(request) === undefined ? undefined : rightFor(request)),
          handle(request, body, reply, join) {
            const found = outgoing(request, reply, join)
            if (found === undefined) return
            const { service, headers } = found
            if (body.length !== 0 && body.length !== undefined) headers['content-length'] = `${body.length}`
            if (body.length === 0 && !BODILESS.has(request.method)) headers['content-length'] = '0'
            new Forwarding(service, found, { body, reply, join }).start()
          },
          upgrade(request, offer, reply, join) {
            const found = outgoing(request, reply, join)
            if (found === undefined) return
            // No pipegate has any.
            if (found.service.byName) new Forwarding(found.service, found, { body: NO_BODY, reply, join }).start()
            else new Tunnel(found.service, found, { offer, reply, join }).start()
          },
        },
      ],
      async start(signal) {
        host.every(TICK_MS, () => {
          const now = host.now()
          for (const service of services) service.tick(now)
        })
        await Promise.all(services.map(({ pool }) => pool.start(signal)))
      },
      drain() {
        for (const service of services) service.drain()
      },
      stop() {
        for (const service of services) service.stop()
      },
    }

    /** What is sent on, and to whom; undefined when that has been refused. */
    function outgoing(request: RequestView, reply: Reply, join: Join): (Outgoing & { service: Service }) | undefined {
      const { service, prefix } = routeOf(request) as Routed & { service: Service }
      const lines: [string, string][] = []
      let came = ''
      request.eachHeader((name, value) => {
        if (name === HOPS) came += came === '' ? value : `, ${value}`
        else lines.push([name, value])
      })
      const circle = hops.problem(came)
      if (circle !== undefined) {
        reply.give(
          circle === 'loop' ? host.refuse('loop') : host.refuse('tooManyHops', { found: circle, expected: hops.most }),
        )
        return undefined
      }
      const found = request.method === 'CONNECT' ? 'the method CONNECT' : pathProblem(request.path)
      if (found !== undefined) {
        reply.give(host.refuse('badRequest', { found }))
        return undefined
      }
      const headers = requestHeaders(lines, originOf(request))
      headers[HOPS] = hops.next(came)
      if (service.config.authorization === 'remove') delete headers.authorization
      const url = targetPath(request, service.config.strip ? prefix : '')
      const key = service.byName ? join.name : undefined
      return { service, method: request.method, url, headers, key }
    }

    function originOf(request: RequestView) {
      const { remoteAddress } = request
      const isTrusted = host.gateway.isTrustedProxy(remoteAddress)
      return { remoteAddress, scheme: host.gateway.schemeOf(request), isTrusted }
    }
  },
})

const NO_BODY: Body = { length: 0, read: (_feed, end) => end(), pause() {}, resume() {} }

/** Without a body these say nothing of its length. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
