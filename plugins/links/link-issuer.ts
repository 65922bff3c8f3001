import {
  integer,
  type Join,
  jsonAnswer,
  Parameters,
  Refusal,
  type Reply,
  type RequestView,
  show,
  textAnswer,
} from '../../gateway/host/plugin-api.js'
import type { LinksContext } from './context.js'
import { expiryText, linkUrl } from './link-text.js'
import { type LinkRight, sign } from './signature.js'

const HOUR = 3600

/** Makes links for clients that have a token. */
export class LinkIssuer {
  constructor(readonly context: LinksContext) {}

  make(request: RequestView, reply: Reply, join: Join): void {
    const made = this.#made(request, join)
    if (made instanceof Refusal) {
      reply.give(made)
      return
    }
    const isJson = request.header('accept').includes('application/json')
    reply.give(isJson ? jsonAnswer(200, made) : textAnswer(200, `${made.url}\n`))
  }

  #made(request: RequestView, join: Join) {
    const { host, secrets, clock, byLink } = this.context
    const { identity } = join
    if (byLink.get(join)) return host.refuse('linkFromLink')
    if (identity === undefined) return host.refuse('notNeeded')
    const parameters = new Parameters(request.query)
    const right = parameters.word<LinkRight>('link', ['watch', 'receive'])
    if (right instanceof Refusal) return right
    const ttl = this.#ttl(parameters)
    if (ttl instanceof Refusal) return ttl
    if (!identity.rights.has(right!)) return host.refuse('noRight', { found: identity.subject, wanted: right! })
    const origin = this.#origin(request)
    if (origin instanceof Refusal) return origin
    const expiry = Math.floor(clock() / 1000) + ttl
    const signature = sign({ project: identity.project, name: join.name, right: right!, expiry }, secrets[0]!)
    const url = linkUrl(`${origin}${host.prefix}/${join.name}`, right!, signature)
    return { url, right: right!, expires: expiryText(expiry) }
  }

  #ttl(parameters: Parameters): number | Refusal {
    const { ttl, maxTtl } = this.context.host.config
    const asked = parameters.get('ttl')
    return asked === undefined ? (ttl ?? Math.min(HOUR, maxTtl)) : integer('ttl', asked, 1, maxTtl)
  }

  #origin(request: RequestView): string | Refusal {
    const { publicUrl } = this.context.host.config
    if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
    const { gateway, refuse } = this.context.host
    const own = gateway.hostOf(request)
    if (own === undefined) return refuse('badHost', { found: show(request.header('host')) })
    return `${gateway.schemeOf(request)}://${own}`
  }
}
