import { definePlugin, PLUGIN_API } from '../../gateway/host/plugin-api.js'
import { FollowedList } from '../grants/followed-list.js'
import { admit } from './admission.js'
import { type Config, config } from './config.js'
import { TOKENS, tokenGrantOf } from './entries.js'
import { FAILURES, type FailureKey } from './failures.js'
import { TokenTable } from './token-table.js'

export default definePlugin<Config, FailureKey>({
  name: 'auth-bearer',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'Asks for a token, which belongs to a project and has rights.',
  after: ['links', 'auth-cert'],
  config,
  failures: FAILURES,
  setup(host) {
    const tokens = new FollowedList(host, {
      ...TOKENS,
      fixed: host.config.tokens,
      file: host.config.file,
      tableOf: (entries) => new TokenTable(entries.map((entry) => tokenGrantOf(entry, process.env))),
    })
    return {
      hooks: { onAdmit: (request, join) => admit(host, tokens.table, request, join) },
      authenticates: host.config.anonymous.size === 0,
      start: () => tokens.follow(),
    }
  },
})
