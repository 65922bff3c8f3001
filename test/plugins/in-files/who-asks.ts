/** Says who asks by the header `X-Who: project/subject`; with `late` only after it has thought about it. */
import { definePlugin, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'

const identityOf = (header: string) => {
  const [project = '', subject = ''] = header.split('/')
  return { project, subject, rights: new Set(['send', 'receive', 'watch'] as const) }
}

export default definePlugin({
  name: 'auth-bearer',
  api: PLUGIN_API,
  scope: 'thread',
  config: z.strictObject({ late: z.boolean() }),
  reads: ['x-who'],
  setup: ({ config: { late } }) => ({
    hooks: late
      ? {
          async onAdmitAsync(request, join) {
            await new Promise((resolve) => setImmediate(resolve))
            if (request.header('x-who') !== '') join.identify(identityOf(request.header('x-who')))
          },
        }
      : {
          onAdmit(request, join) {
            if (request.header('x-who') !== '') join.identify(identityOf(request.header('x-who')))
          },
        },
  }),
})
