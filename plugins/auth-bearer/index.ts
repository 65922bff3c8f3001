import { definePlugin, PLUGIN_API } from '../../gateway/host/plugin-api.js'
import { admit } from './admission.js'
import { type Config, config } from './config.js'
import { FAILURES, type FailureKey } from './failures.js'
import { TokenStore } from './token-store.js'

export default definePlugin<Config, FailureKey>({
  name: 'auth-bearer',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'Asks for a token, which belongs to a project and has rights.',
  after: ['links'],
  config,
  failures: FAILURES,
  setup(host) {
    const tokens = new TokenStore(host)
    return {
      hooks: { onAdmit: (request, join) => admit(host, tokens.table, request, join) },
      authenticates: host.config.anonymous.size === 0,
      start: () => tokens.follow(),
    }
  },
})
