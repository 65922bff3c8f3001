import { type Host, type Join, type RequestView, show, type Verdict } from '../../gateway/host/plugin-api.js'
import { allow, isFromElsewhere } from '../grants/allow.js'
import type { CertificateTable } from './certificate-table.js'
import type { Config } from './config.js'
import type { FailureKey } from './failures.js'

type CertHost = Host<Config, FailureKey>

/** Whether a plugin is loaded that decides about who has no certificate here. */
export function hasTokens(host: Pick<CertHost, 'has'>): boolean {
  return host.has('auth-bearer') || host.has('auth-jwt')
}

/** Whether the certificate of a request lets it in. */
export function admit(host: CertHost, table: CertificateTable, request: RequestView, join: Join): Verdict {
  // An earlier plugin has identified the request, by a signed link.
  if (join.identity !== undefined) return undefined
  // What a request says for itself outranks what its connection has said for all of them.
  if (hasTokens(host) && request.header('authorization') !== '') return undefined
  const certificate = join.clientCertificate
  const found = certificate && table.find(certificate)
  if (found === undefined) {
    if (hasTokens(host)) return undefined
    if (certificate !== undefined) return host.refuse('unknown', { subject: show(certificate.subject) })
    const { anonymous } = host.config
    if (!anonymous.has(join.right)) return host.refuse('missing')
    return join.identify({ project: '', subject: 'anonymous', rights: anonymous, anonymous: true })
  }
  if (isFromElsewhere(request)) return host.refuse('crossSite')
  return allow(host, found.grant, join, found.subject)
}
