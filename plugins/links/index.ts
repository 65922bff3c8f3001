import { definePlugin, Parameters, PLUGIN_API } from '../../gateway/host/plugin-api.js'
import { type Config, config } from './config.js'
import type { LinksContext } from './context.js'
import { FAILURES, type FailureKey } from './failures.js'
import { LinkIssuer } from './link-issuer.js'
import { LinkVerifier } from './link-verifier.js'
import { secretsFrom } from './secret.js'

/** @param clock milliseconds since 1970, for tests */
export function linksPlugin(clock: () => number = Date.now) {
  return definePlugin<Config, FailureKey>({
    name: 'links',
    api: PLUGIN_API,
    scope: 'thread',
    summary: 'Lets signed links in that expire, and makes them.',
    config,
    failures: FAILURES,
    setup(host) {
      const secrets = secretsFrom(host.config, host.resolve)
      const context: LinksContext = { host, secrets, clock, byLink: host.slot<true>() }
      const verifier = new LinkVerifier(context)
      const issuer = new LinkIssuer(context)
      return {
        hooks: { onAdmit: (request, join) => verifier.admit(request, join) },
        modes: [
          {
            param: 'link',
            // A client that may receive may let others receive, and need not be allowed to watch.
            right: ({ query }) => (new Parameters(query).get('link') === 'receive' ? 'receive' : 'watch'),
            handle: (request, reply, join) => issuer.make(request, reply, join),
          },
        ],
      }
    },
  })
}

export default linksPlugin()
