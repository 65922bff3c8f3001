/** Who asks is whom a signed JWT names (RFC 7519), sent as a bearer token (RFC 6750). docs/plugins/auth-jwt.md. */

import {
  definePlugin,
  type Host,
  type Join,
  PLUGIN_API,
  type Refusal,
  type RequestCopy,
  type RequestView,
  type Right,
} from '../../gateway/host/plugin-api.js'
import { readBearer } from './bearer.js'
import { challenge } from './challenge.js'
import { checkGrant, readClaims } from './claims.js'
import { type Config, config } from './config.js'
import { FAILURES, type FailureKey, TokenProblem } from './failures.js'
import { KeysUnavailable } from './keys/keys.js'
import { openKeys } from './keys/open-keys.js'
import { verifier } from './verify.js'

export default definePlugin({
  name: 'auth-jwt',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'lets in who has a signed JWT',
  after: ['links', 'auth-cert', 'auth-bearer'],
  config,
  failures: FAILURES,
  reads: ['authorization'],

  setup(host: Host<Config, FailureKey>) {
    const keys = openKeys(host.config, host)
    const verify = verifier(host.config, keys)

    function refuse(problem: TokenProblem, right: Right): Refusal {
      const { rightsClaim, rights } = host.config
      const scope = problem.key === 'noRight' && rightsClaim !== undefined ? rights[right][0] : undefined
      return host.refuse(problem.key, problem.values, challenge(problem.key, problem.values, scope))
    }

    return {
      hooks: {
        /** Which of two headers another program would believe cannot be known, so neither is. */
        onAdmit(request: RequestView, join: Join) {
          if (join.identity !== undefined) return undefined
          let count = 0
          request.eachHeader((name) => {
            if (name === 'authorization') count++
          })
          return count > 1 ? refuse(new TokenProblem('severalHeaders'), join.right) : undefined
        },

        async onAdmitAsync(request: RequestCopy, join: Join, signal: AbortSignal) {
          if (join.identity !== undefined) return undefined
          const { right } = join
          try {
            const grant = readClaims(await verify(readBearer(request.header('authorization')), signal), host.config)
            join.identify(grant.identity)
            checkGrant(grant, right, join.name, host.config)
            return undefined
          } catch (error) {
            if (error instanceof TokenProblem) return refuse(error, right)
            if (!(error instanceof KeysUnavailable)) throw error
            const seconds = error.retryAfter
            return host.refuse('noKeys', { seconds }, [['Retry-After', String(seconds)]])
          }
        },
      },
      authenticates: true,
      start() {
        keys.start()
      },
      stop() {
        keys.stop()
      },
    }
  },
})
