// Asks your HTTP service whether a client may send, receive or watch.
import { definePlugin, PLUGIN_API, z } from 'pipegate/plugin'

export default definePlugin({
  name: 'ask-http',
  api: PLUGIN_API,
  summary: 'asks an HTTP service who may go on',
  config: z.strictObject({
    /** Called with `?side=sender&name=jobs` and the client's Authorization header. 200 admits the request, anything else refuses it. */
    url: z.url(),
  }),
  failures: {
    denied: { status: 403, message: 'You may not be a {side} on this name.', hint: 'Ask the operator for access.' },
    unreachable: { status: 503, message: 'Nobody can say whether you may.', hint: 'Try again in a few seconds.' },
  },
  // Only these headers are copied while the service is asked.
  reads: ['authorization'],
  setup(host) {
    return {
      hooks: {
        async onAdmitAsync(request, join, signal) {
          const url = new URL(host.config.url)
          url.searchParams.set('side', join.side)
          url.searchParams.set('name', join.name)
          const headers = { authorization: request.header('authorization') }
          let status
          try {
            // The signal fires when the client leaves, or when all gates together have taken too long.
            status = (await fetch(url, { headers, signal })).status
          } catch (error) {
            if (!signal.aborted) host.log.warn({ err: error }, 'the service cannot be reached')
            return host.refuse('unreachable')
          }
          return status === 200 ? undefined : host.refuse('denied', { side: join.side })
        },
      },
    }
  },
})
