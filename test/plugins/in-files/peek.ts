/** Shows what a watcher would see. */
import { definePlugin, jsonAnswer, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'

export default definePlugin({
  name: 'peek',
  api: PLUGIN_API,
  scope: 'thread',
  after: ['auth-bearer', 'links'],
  config: z.strictObject({}),
  setup: () => ({
    modes: [
      {
        param: 'peek',
        handle(_request, reply, join, pipe) {
          reply.give(jsonAnswer(200, { state: pipe?.state ?? 'idle', identity: join.identity ?? null }))
        },
      },
    ],
  }),
})
