/** Throws for one path, answers another, and has a path of its own. */
import { definePlugin, PLUGIN_API, textAnswer, z } from '../../../gateway/host/plugin-api.js'

export default definePlugin({
  name: 'faulty',
  api: PLUGIN_API,
  scope: 'thread',
  config: z.strictObject({}),
  setup: () => ({
    hooks: {
      onRequest(request) {
        if (request.path === '/throws') throw new Error('on purpose')
        if (request.path === '/answers') return textAnswer(200, 'mine\n')
      },
    },
    routes: [{ method: 'DELETE', path: '/guests', handle: (_request, reply) => void reply.give(textAnswer(200, '')) }],
  }),
})
