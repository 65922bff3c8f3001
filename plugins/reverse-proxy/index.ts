import { randomFillSync } from 'node:crypto'
import { type Body, definePlugin, type Host, PLUGIN_API } from '../../gateway/host/plugin-api.js'
import { type Config, type ForwardingConfig, schema } from './config.js'
import { FAILURES, type FailureKey } from './failures.js'
import { ForwardedRequest } from './forwarding/forwarded-request.js'
import { CDN_LOOP, LoopDetector } from './routing/loop-detector.js'
import { rightFor } from './routing/pipe-name.js'
import { type Route, Router } from './routing/router.js'
import { nameOf } from './routing/target-path.js'
import { Service } from './service/service.js'
import { Tunnel } from './websocket/tunnel.js'

/** How often requests are checked for time-outs. */
const TICK_MS = 250

/** Forwards requests to other servers, once every plugin that may refuse them has let them in. */
export default definePlugin<Config, FailureKey>({
  name: 'reverse-proxy',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'forwards requests by host and path to other servers',
  config: schema,
  failures: FAILURES,

  setup(host) {
    const loops = new LoopDetector(host.config.maxHops, nameOfGateway(host))
    const routes = host.config.routes.map((config): Route => {
      const { host: name, prefix } = config
      const service = config.self ? undefined : new Service(config as ForwardingConfig, host, { [CDN_LOOP]: loops.own })
      return { host: name, prefix, service }
    })
    const services = routes.flatMap(({ service }) => service ?? [])
    const router = new Router(host, loops, routes)

    return {
      hooks: {
        // Before anything is answered here, health too: a gateway that is its own upstream is to find that out.
        onRequest: (request) => (request.header(CDN_LOOP).includes(loops.own) ? host.refuse('loop') : undefined),
      },
      claims: [
        {
          claims(request) {
            const service = router.serviceOf(request)
            return service !== undefined && (!service.byName || router.pipeName(request) !== undefined)
          },
          name: (request) => router.pipeName(request) ?? nameOf(request.path),
          right: (request) => (router.pipeName(request) === undefined ? undefined : rightFor(request)),
          handle(request, body, reply, join) {
            const outgoing = router.outgoing(request, reply, join)
            if (outgoing === undefined) return
            const { service, headers } = outgoing
            if (body.length !== 0 && body.length !== undefined) headers['content-length'] = `${body.length}`
            if (body.length === 0 && !BODILESS.has(request.method)) headers['content-length'] = '0'
            new ForwardedRequest(service, outgoing, { body, reply, join }).start()
          },
          upgrade(request, offer, reply, join) {
            const outgoing = router.outgoing(request, reply, join)
            if (outgoing === undefined) return
            const { service } = outgoing
            // No pipegate has WebSockets.
            if (service.byName) new ForwardedRequest(service, outgoing, { body: NO_BODY, reply, join }).start()
            else new Tunnel(service, outgoing, { offer, reply, join }).start()
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
  },
})

/** Drawn at each start, one for all threads: no two gateways have the same one. */
function nameOfGateway({ sharedMemory }: Pick<Host, 'sharedMemory'>): string {
  const drawn = sharedMemory('name', 8, (memory) => randomFillSync(memory))
  return `pipegate-${Buffer.from(drawn).toString('hex')}`
}

const NO_BODY: Body = { length: 0, read: (_feed, end) => end(), pause() {}, resume() {} }

/** Without a body these say nothing of its length. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
