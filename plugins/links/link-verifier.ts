import { type Join, Parameters, type RequestView, type Verdict } from '../../gateway/host/plugin-api.js'
import type { LinksContext } from './context.js'
import { expiryText } from './link-text.js'
import { type Grant, verify } from './signature.js'

/** Lets requests in whose link allows them. */
export class LinkVerifier {
  constructor(readonly context: LinksContext) {}

  admit(request: RequestView, join: Join): Verdict {
    const { host, clock, byLink } = this.context
    if (request.query === '') return undefined
    const signature = new Parameters(request.query).get('sig')
    if (signature === undefined) return undefined
    if (join.right === 'send') return host.refuse('sender')
    const grant = this.#grantOf(signature)
    if (grant === undefined) return host.refuse('tampered')
    const now = clock() / 1000
    const { maxTtl } = host.config
    if (now >= grant.expiry) return host.refuse('expired', { found: expiryText(grant.expiry) })
    // Anybody with the secret can make such a link, and the operator may have lowered the limit since. One second of tolerance
    // for the clock of another machine.
    if (grant.expiry > now + maxTtl + 1) {
      return host.refuse('tooLong', { found: expiryText(grant.expiry), expected: maxTtl })
    }
    if (grant.name !== join.name) return host.refuse('otherName')
    if (grant.right !== join.right) return host.refuse('otherRight', { found: grant.right, wanted: join.right })
    byLink.set(join, true)
    // A page that is shown must not tell other sites its address.
    join.addHeader('Referrer-Policy', 'no-referrer')
    join.identify({ project: grant.project, subject: 'link', rights: new Set([grant.right]) })
    return undefined
  }

  #grantOf(signature: string): Grant | undefined {
    for (const secret of this.context.secrets) {
      const grant = verify(signature, secret)
      if (grant !== undefined) return grant
    }
    return undefined
  }
}
