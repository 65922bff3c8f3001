import { definePlugin, PLUGIN_API } from '../../gateway/host/plugin-api.js'
import { FollowedList } from '../grants/followed-list.js'
import { admit, hasTokens } from './admission.js'
import { CertificateTable } from './certificate-table.js'
import { type Config, config } from './config.js'
import { CERTIFICATES } from './entries.js'
import { FAILURES, type FailureKey } from './failures.js'

export default definePlugin<Config, FailureKey>({
  name: 'auth-cert',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'Lets clients in by their certificates, which belong to a project and have rights.',
  after: ['links'],
  config,
  failures: FAILURES,
  setup(host) {
    const { certificates: fixed, file, anonymous } = host.config
    if (!host.gateway.asksForCertificates)
      throw new Error('no client would be asked for a certificate; set tlsClientAuth and tlsClientCa')
    const tableOf = (entries: ConstructorParameters<typeof CertificateTable>[0]) => new CertificateTable(entries)
    const list = new FollowedList(host, { ...CERTIFICATES, fixed, file, tableOf })
    return {
      hooks: { onAdmit: (request, join) => admit(host, list.table, request, join) },
      // Who has none is left to those, who say for themselves whether they let in anybody.
      authenticates: anonymous.size === 0 && !hasTokens(host),
      start: () => list.follow(),
    }
  },
})
