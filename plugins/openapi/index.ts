import { definePlugin, PLUGIN_API, z } from '../../gateway/host/plugin-api.js'
import { openApi } from './document.js'

/** `openapi.json`: the protocol as OpenAPI 3.1, for programs that make clients of it. */
export default definePlugin({
  name: 'openapi',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'Describes the protocol to programs (openapi.json).',
  config: z.strictObject({}),

  setup({ prefix }) {
    const answer = {
      status: 200,
      headers: [
        ['Content-Type', 'application/json'],
        ['Cache-Control', 'no-cache'],
        ['X-Content-Type-Options', 'nosniff'],
        ['X-Robots-Tag', 'none'],
      ],
      body: `${JSON.stringify(openApi(prefix), undefined, 2)}\n`,
    } as const
    return {
      routes: [
        { method: 'GET', path: '/openapi.json', bare: true, handle: (_request, reply) => void reply.give(answer) },
      ],
    }
  },
})
