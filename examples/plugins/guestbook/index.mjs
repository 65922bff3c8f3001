// Adds a path and a query parameter: /guests lists the last transfers, and /name?guests those of one name.
import { definePlugin, PLUGIN_API, textAnswer, z } from 'pipegate/plugin'

export default definePlugin({
  name: 'guestbook',
  api: PLUGIN_API,
  summary: 'lists the last transfers',
  config: z.strictObject({ keep: z.int().min(1).max(10_000).default(100) }),
  setup(host) {
    const guests = []
    const page = (all) => textAnswer(200, all.map(({ key, reason, bytes }) => `${key} ${reason} ${bytes}\n`).join(''))
    return {
      hooks: {
        onEnded(pipe) {
          guests.unshift({ key: pipe.key, reason: pipe.endReason, bytes: pipe.bytesIn })
          guests.length = Math.min(guests.length, host.config.keep)
        },
      },
      routes: [{ method: 'GET', path: '/guests', handle: (_request, reply) => void reply.give(page(guests)) }],
      // The request has passed onAdmit as a watcher: clients that may not watch the name do not get here.
      modes: [
        {
          param: 'guests',
          handle: (_request, reply, join) => void reply.give(page(guests.filter(({ key }) => key === join.key))),
        },
      ],
    }
  },
})
