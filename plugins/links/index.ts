import {
  definePlugin,
  type Host,
  integer,
  type Join,
  jsonAnswer,
  Parameters,
  PLUGIN_API,
  Refusal,
  type Reply,
  type RequestView,
  type Slot,
  show,
  textAnswer,
  type Verdict,
  z,
} from '../../gateway/host/plugin-api.js'
import { linkUrl } from './link-url.js'
import { secretsFrom } from './secret.js'
import { type Grant, type LinkRight, sign, verify } from './signature.js'

const HOUR = 3600
const WEEK = 604_800

const seconds = z
  .int({ error: 'expected a whole number of seconds' })
  .min(1, { error: 'expected at least 1 second' })
  .max(31_536_000, { error: 'expected at most a year of 31536000 seconds' })
const text = z.string({ error: 'expected text' })
const texts = z
  .union([text, z.array(text).min(1, { error: 'expected text, or at least one' })], {
    error: 'expected text, or a list of texts',
  })
  .optional()

// Every message is our own, and none has a value in it: what stands in the wrong place may be the secret.
const config = z
  .strictObject(
    {
      secret: texts,
      secretEnv: texts,
      secretFile: texts,
      maxTtl: seconds.default(WEEK),
      ttl: seconds.optional(),
      publicUrl: z
        .string({ error: 'expected an address' })
        .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, {
          error: 'expected an address such as https://pipe.example.org',
        })
        .optional(),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? 'found a key that is unknown; the known ones are secret, secretEnv, secretFile, maxTtl, ttl and publicUrl'
          : 'expected a mapping with secret, secretEnv or secretFile',
    },
  )
  .refine((all) => [all.secret, all.secretEnv, all.secretFile].filter((each) => each !== undefined).length === 1, {
    error: 'expected exactly one of secret, secretEnv and secretFile',
  })
  .refine(({ ttl, maxTtl }) => (ttl ?? 0) <= maxTtl, { error: 'ttl is more than maxTtl' })

type Config = z.infer<typeof config>

const failures = {
  tampered: {
    status: 403,
    message: 'The signature of this link is not one that this gateway gave out.',
    hint: 'Copy the whole link again, up to its last character, or ask for a new one.',
  },
  expired: {
    status: 403,
    message: 'This link expired at {found}.',
    hint: 'Ask for a new one.',
  },
  tooLong: {
    status: 403,
    message: 'This link is valid until {found}, and no link may be for more than {expected} seconds.',
    hint: 'Ask for one with a shorter time.',
  },
  otherName: {
    status: 403,
    message: 'This link is for another name.',
    hint: 'Use the address as it was given to you.',
  },
  otherRight: {
    status: 403,
    message: 'This link is made to {found}, not to {wanted}.',
    hint: 'Ask for a link that is made to {wanted}.',
  },
  sender: {
    status: 403,
    message: 'No link allows to send.',
    hint: 'Leave ?sig out, and authenticate with a token.',
  },
  linkFromLink: {
    status: 403,
    message: 'A link cannot make other links.',
    hint: 'Ask somebody who has a token.',
  },
  notNeeded: {
    status: 403,
    message: 'Nobody is refused here for want of a token, so that links would be of no use.',
    hint: 'Send the address itself.',
  },
  noRight: {
    status: 403,
    message: '"{found}" may not {wanted} here, and cannot make a link that may.',
    hint: 'Use a token with the right "{wanted}".',
  },
  badHost: {
    status: 400,
    message: 'The Host header of this request is "{found}".',
    hint: "Send the gateway's name and port, or let the operator set publicUrl.",
  },
} as const

type LinksHost = Host<Config, keyof typeof failures>

/** @param clock milliseconds since 1970, for tests */
export function linksPlugin(clock: () => number = Date.now) {
  return definePlugin<Config, keyof typeof failures>({
    name: 'links',
    api: PLUGIN_API,
    summary: 'Lets signed links in that expire, and makes them.',
    config,
    failures,
    setup(host) {
      const links = new Links(host, secretsFrom(host.config, host.resolve), clock)
      return {
        hooks: { onAdmit: (request, join) => links.admit(request, join) },
        modes: [
          {
            param: 'link',
            // Who may receive may let others receive, and need not be allowed to watch.
            right: ({ query }) => (new Parameters(query).get('link') === 'receive' ? 'receive' : 'watch'),
            handle: (request, reply, join) => links.make(request, reply, join),
          },
        ],
      }
    },
  })
}

export default linksPlugin()

class Links {
  /** On requests that a link let in. */
  readonly #byLink: Slot<true>

  constructor(
    readonly host: LinksHost,
    /** The first one signs, all of them are believed. */
    readonly secrets: readonly string[],
    readonly clock: () => number,
  ) {
    this.#byLink = host.slot<true>()
  }

  admit(request: RequestView, join: Join): Verdict {
    const { host } = this
    if (request.query === '') return undefined
    const signature = new Parameters(request.query).get('sig')
    if (signature === undefined) return undefined
    if (join.side === 'sender') return host.refuse('sender')
    const grant = this.#grantOf(signature)
    if (grant === undefined) return host.refuse('tampered')
    const now = this.clock() / 1000
    const { maxTtl } = host.config
    if (now >= grant.expiry) return host.refuse('expired', { found: timeText(grant.expiry) })
    // Somebody who has the secret can make any, and the operator may have lowered the limit since. A second of grace for the
    // clock of another machine.
    if (grant.expiry > now + maxTtl + 1) {
      return host.refuse('tooLong', { found: timeText(grant.expiry), expected: maxTtl })
    }
    if (grant.name !== join.name) return host.refuse('otherName')
    if (grant.right !== join.right) return host.refuse('otherRight', { found: grant.right, wanted: join.right })
    this.#byLink.set(join, true)
    // A page that is shown must not tell other sites its address.
    join.addHeader('Referrer-Policy', 'no-referrer')
    join.identify({ project: grant.project, subject: 'link', rights: new Set([grant.right]) })
    return undefined
  }

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
    const { host } = this
    const { identity } = join
    if (this.#byLink.get(join)) return host.refuse('linkFromLink')
    if (identity === undefined) return host.refuse('notNeeded')
    const parameters = new Parameters(request.query)
    const right = parameters.word<LinkRight>('link', ['watch', 'receive'])
    if (right instanceof Refusal) return right
    const ttl = this.#ttl(parameters)
    if (ttl instanceof Refusal) return ttl
    if (!identity.rights.has(right!)) return host.refuse('noRight', { found: identity.subject, wanted: right! })
    const origin = this.#origin(request)
    if (origin instanceof Refusal) return origin
    const expiry = Math.floor(this.clock() / 1000) + ttl
    const signature = sign({ project: identity.project, name: join.name, right: right!, expiry }, this.secrets[0]!)
    const url = linkUrl(`${origin}${host.prefix}/${join.name}`, right!, signature)
    return { url, right: right!, expires: timeText(expiry) }
  }

  #grantOf(signature: string): Grant | undefined {
    for (const secret of this.secrets) {
      const grant = verify(signature, secret)
      if (grant !== undefined) return grant
    }
    return undefined
  }

  #ttl(parameters: Parameters): number | Refusal {
    const { ttl, maxTtl } = this.host.config
    const asked = parameters.get('ttl')
    return asked === undefined ? (ttl ?? Math.min(HOUR, maxTtl)) : integer('ttl', asked, 1, maxTtl)
  }

  #origin(request: RequestView): string | Refusal {
    const { publicUrl } = this.host.config
    if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '')
    const found = request.header('host')
    if (/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(found))
      return `${this.host.gateway.schemeOf(request)}://${found}`
    return this.host.refuse('badHost', { found: show(found) })
  }
}

function timeText(expiry: number): string {
  return new Date(expiry * 1000).toISOString().replace('.000Z', 'Z')
}
