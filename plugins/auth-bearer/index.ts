import {
  definePlugin,
  type HeaderList,
  type Host,
  type Identity,
  type Join,
  PLUGIN_API,
  type RequestView,
  type Right,
  show,
  type Verdict,
  z,
} from '../../gateway/host/plugin-api.js'
import { isFromElsewhere, looksLikeJwt, readCredentials } from './credentials.js'
import { entriesSchema, grantOf, rightsSchema } from './entries.js'
import { fileStamp, readTokenFile } from './token-file.js'
import { type Grant, TokenTable } from './token-table.js'

const config = z
  .strictObject(
    {
      tokens: entriesSchema.default([]),
      file: z.string({ error: 'expected the path of a file' }).min(1, { error: 'expected a path' }).optional(),
      anonymous: rightsSchema.default(new Set<Right>()),
      basic: z.boolean({ error: 'expected true or false' }).default(true),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? 'found a key that is unknown; the known ones are tokens, file, anonymous and basic'
          : 'expected a mapping with tokens or file',
    },
  )
  .refine(({ tokens, file }) => tokens.length > 0 || file !== undefined, {
    error: 'found no tokens; "pipegate token" makes one, and it goes under tokens or into a file',
  })

type Config = z.infer<typeof config>

const failures = {
  missing: {
    status: 401,
    message: 'This gateway asks for a token.',
    hint: 'Send "Authorization: Bearer <token>"; with curl: -H "Authorization: Bearer <token>".',
  },
  unknown: {
    status: 401,
    message: 'This Authorization was not accepted.',
    hint: 'Write "Bearer", one space and the whole token; if that is so, ask the operator for a new token.',
  },
  repeated: {
    status: 400,
    message: 'This request has {found} Authorization headers.',
    hint: 'Send one.',
  },
  noRight: {
    status: 403,
    message: 'The token "{token}" may not {right}: its rights are {found}.',
    hint: 'Use one that has the right "{right}".',
  },
  noName: {
    status: 403,
    message: 'The token "{token}" is not for this name.',
    hint: 'Use a name that fits {expected}, or another token.',
  },
  crossSite: {
    status: 403,
    message: "A page of another site used this browser's password for the gateway.",
    hint: 'Let the page send "Authorization: Bearer <token>" itself.',
  },
} as const

type Key = keyof typeof failures

/** How often the file is looked at. */
const LOOK_MS = 1000

export default definePlugin<Config, Key>({
  name: 'auth-bearer',
  api: PLUGIN_API,
  summary: 'Asks for a token, which belongs to a project and has rights.',
  after: ['links'],
  config,
  failures,
  setup(host) {
    const tokens = new Tokens(host)
    return {
      hooks: { onAdmit: (request, join) => admit(host, tokens.table, request, join) },
      start: () => tokens.follow(),
    }
  },
})

/** The tokens of the configuration and of the file, as it is now. */
class Tokens {
  table: TokenTable
  readonly #host: Host<Config, Key>
  readonly #fixed: readonly Grant[]
  readonly #file: string | undefined
  #stamp: string

  constructor(host: Host<Config, Key>) {
    const { file } = host.config
    this.#host = host
    this.#file = file === undefined ? undefined : host.resolve(file)
    this.#fixed = host.config.tokens.map((entry) => grantOf(entry, process.env))
    this.#stamp = this.#look()
    this.table = this.#read()
  }

  follow(): void {
    if (this.#file !== undefined) this.#host.every(LOOK_MS, () => this.#refresh())
  }

  #look(): string {
    return this.#file === undefined ? '' : fileStamp(this.#file)
  }

  /** @throws Error with one line */
  #read(): TokenTable {
    const listed = this.#file === undefined ? [] : readTokenFile(this.#file)
    return new TokenTable([...this.#fixed, ...listed.map((entry) => grantOf(entry, process.env))])
  }

  #refresh(): void {
    // Before it is read, so that what is written meanwhile is read the next time.
    const stamp = this.#look()
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    const { log } = this.#host
    try {
      this.table = this.#read()
      log.info({ tokens: this.table.grants.length }, 'the file of tokens has been read again')
    } catch (error) {
      log.error({ problem: (error as Error).message }, 'the file of tokens is broken; the tokens from before stay')
    }
  }
}

function admit(host: Host<Config, Key>, table: TokenTable, request: RequestView, join: Join): Verdict {
  // Somebody before us knows who it is: a signed link.
  if (join.identity !== undefined) return undefined
  const { right } = join
  const { anonymous, basic } = host.config
  const credentials = readCredentials(request)
  if (credentials.kind === 'repeated') return host.refuse('repeated', { found: credentials.count })
  if (credentials.kind === 'absent') {
    if (!anonymous.has(right)) return host.refuse('missing', {}, challenges(basic, request))
    return join.identify({ project: '', subject: 'anonymous', rights: anonymous })
  }
  const isBasic = credentials.kind === 'basic'
  // What is malformed is looked up as well: it shall take no less time than what is unknown.
  const grant = table.find(credentials.kind === 'malformed' ? '' : credentials.token)
  const mayBeJwt = credentials.kind === 'bearer' && looksLikeJwt(credentials.token) && host.has('auth-jwt')
  if (grant === undefined && mayBeJwt) return undefined
  if (grant === undefined || (isBasic && !basic)) return host.refuse('unknown', {}, challenges(basic, request))
  if (isBasic && isFromElsewhere(request)) return host.refuse('crossSite')
  return allow(host, grant, right, join)
}

function allow(host: Host<Config, Key>, grant: Grant, right: Right, join: Join): Verdict {
  const { name, project, rights, names } = grant
  if (!rights.has(right)) {
    return host.refuse('noRight', { token: name, right, found: [...rights].join(', ') || 'none' })
  }
  if (names !== undefined && !names.fit.some((fits) => fits.covers(join.name))) {
    return host.refuse('noName', { token: name, expected: show(names.written.join(' or ')) })
  }
  const identity: Identity = { project, subject: name, rights }
  return join.identify(identity)
}

function challenges(basic: boolean, request: RequestView): HeaderList {
  const bearer = ['WWW-Authenticate', 'Bearer realm="pipegate"'] as const
  // A script that says that it is one asks for the token itself; to Basic its browser would ask for a password first.
  const isScript = request.header('x-requested-with') !== ''
  return basic && !isScript ? [bearer, ['WWW-Authenticate', 'Basic realm="pipegate", charset="UTF-8"']] : [bearer]
}
