import { canonicalName, definePlugin, PLUGIN_API, type RequestView } from '../../gateway/plugin-api.js'
import { type Config, type ForwardingConfig, schema } from './config.js'
import { FAILURES, type FailureKey } from './failures.js'
import { Forwarding } from './forwarding.js'
import { requestHeaders } from './headers.js'
import { HOPS, Hops } from './hops.js'
import { pipeNameOf, rightFor } from './pipe-name.js'
import { RouteTable } from './route-table.js'
import { Service } from './service.js'
import { pathProblem, targetPath } from './target-path.js'

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

    /** The name of a pipe that it is about, where upstreams are pipegates. */
    const pipeName = (request: RequestView) =>
      table.find(request)?.service?.byName === true ? pipeNameOf(request.path, host.prefix) : undefined

    return {
      hooks: {
        // Before anything is answered here, health too: a gateway that is its own upstream is to find that out.
        onRequest: (request) => (request.header(HOPS).includes(hops.own) ? host.refuse('loop') : undefined),
      },
      claims: [
        {
          claims(request) {
            const service = table.find(request)?.service
            return service !== undefined && (!service.byName || pipeName(request) !== undefined)
          },
          name: (request) => pipeName(request) ?? canonicalName(request.path.slice(1)),
          right: (request) => (pipeName(request) === undefined ? undefined : rightFor(request)),
          handle(request, body, reply, join) {
            const { service, prefix } = table.find(request) as Routed & { service: Service }
            const lines: [string, string][] = []
            let came = ''
            request.eachHeader((name, value) => {
              if (name === HOPS) came += came === '' ? value : `, ${value}`
              else lines.push([name, value])
            })
            const circle = hops.problem(came)
            if (circle !== undefined) {
              reply.give(
                circle === 'loop'
                  ? host.refuse('loop')
                  : host.refuse('tooManyHops', { found: circle, expected: hops.most }),
              )
              return
            }
            const found = pathProblem(request.path)
            if (found !== undefined) {
              reply.give(host.refuse('badRequest', { found }))
              return
            }
            const headers = requestHeaders(lines, originOf(request, join.clientAddress))
            headers[HOPS] = hops.next(came)
            if (body.length !== 0 && body.length !== undefined) headers['content-length'] = `${body.length}`
            if (body.length === 0 && !BODILESS.has(request.method)) headers['content-length'] = '0'
            if (service.config.authorization === 'remove') delete headers.authorization
            const url = targetPath(request, service.config.strip ? prefix : '')
            const key = service.byName ? join.name : undefined
            new Forwarding(service, { method: request.method, url, headers, key }, { body, reply, join }).start()
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
      stop() {
        for (const service of services) service.stop()
      },
    }

    function originOf(request: RequestView, clientAddress: string) {
      const { remoteAddress } = request
      const isTrusted = host.gateway.isTrustedProxy(remoteAddress)
      return { clientAddress, remoteAddress, scheme: host.gateway.schemeOf(request), isTrusted }
    }
  },
})

/** Without a body these say nothing of its length. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
