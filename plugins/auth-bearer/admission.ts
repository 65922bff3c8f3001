import type { HeaderList, Host, Join, RequestView, Verdict } from '../../gateway/host/plugin-api.js'
import { allow, isFromElsewhere } from '../grants/allow.js'
import type { Config } from './config.js'
import { looksLikeJwt, readCredentials } from './credentials.js'
import type { FailureKey } from './failures.js'
import type { TokenTable } from './token-table.js'

type BearerHost = Host<Config, FailureKey>

/** Whether the token of a request lets it in. */
export function admit(host: BearerHost, table: TokenTable, request: RequestView, join: Join): Verdict {
  // An earlier plugin has identified the request, by a signed link or a certificate.
  if (join.identity !== undefined) return undefined
  const { right } = join
  const { anonymous, basic } = host.config
  const credentials = readCredentials(request)
  if (credentials.kind === 'repeated') return host.refuse('repeated', { found: credentials.count })
  if (credentials.kind === 'absent') {
    if (!anonymous.has(right)) return host.refuse('missing', {}, challenges(basic, request))
    return join.identify({ project: '', subject: 'anonymous', rights: anonymous, anonymous: true })
  }
  const isBasic = credentials.kind === 'basic'
  // A malformed token is looked up as well, so that it takes as long as an unknown one.
  const grant = table.find(credentials.kind === 'malformed' ? '' : credentials.token)
  const mayBeJwt = credentials.kind === 'bearer' && looksLikeJwt(credentials.token) && host.has('auth-jwt')
  if (grant === undefined && mayBeJwt) return undefined
  if (grant === undefined || (isBasic && !basic)) return host.refuse('unknown', {}, challenges(basic, request))
  if (isBasic && isFromElsewhere(request)) return host.refuse('crossSite')
  return allow(host, grant, join)
}

function challenges(basic: boolean, request: RequestView): HeaderList {
  const bearer = ['WWW-Authenticate', 'Bearer realm="pipegate"'] as const
  // A script that says that it is one asks for the token itself; to Basic its browser would ask for a password first.
  const isScript = request.header('x-requested-with') !== ''
  return basic && !isScript ? [bearer, ['WWW-Authenticate', 'Basic realm="pipegate", charset="UTF-8"']] : [bearer]
}
