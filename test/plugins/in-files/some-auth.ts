/** Takes everybody for alice of the project `blue` who asks with a header. */
import { definePlugin, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'

export default definePlugin({
  name: 'some-auth',
  api: PLUGIN_API,
  scope: 'thread',
  config: z.strictObject({}),
  setup: () => ({
    hooks: {
      onAdmit(request, join) {
        if (request.header('authorization') === '') return
        join.identify({ project: 'blue', subject: 'alice', rights: new Set(['send', 'receive']) })
      },
    },
  }),
})
