import { z } from '../../gateway/host/plugin-api.js'
import { ASYMMETRIC, SYMMETRIC } from './keys/algorithms.js'

const KEY_SOURCES = ['secret', 'secretEnv', 'publicKeyFile', 'jwksUrl'] as const
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

const text = z.string().min(1)
const oneOrMore = z.union([text, z.array(text).min(1)]).transform((value) => [value].flat())
const seconds = (least: number, most: number) => z.int().min(least).max(most)
const right = z.enum(['send', 'receive', 'watch'])

/** No space, no control character: what OAuth 2.0 calls a scope token (RFC 6749, section 3.3). */
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected one word without spaces, quotes and backslashes')
const scopes = z.union([scope, z.array(scope).min(1)]).transform((value) => [value].flat())

const algorithm = z.string().superRefine((name, context) => {
  if (ASYMMETRIC.includes(name) || SYMMETRIC.includes(name)) return
  const found =
    name.toLowerCase() === 'none' ? 'found "none", which is no signature at all' : `found ${JSON.stringify(name)}`
  context.addIssue(`${found}; expected one of ${[...SYMMETRIC, ...ASYMMETRIC].join(', ')}`)
})

/** Times are in seconds. docs/plugins/auth-jwt.md has the table. */
const shape = z.strictObject({
  secret: text.optional(),
  secretEnv: text.optional(),
  secretEncoding: z.enum(['text', 'base64']).default('text'),
  publicKeyFile: text.optional(),
  jwksUrl: text.optional(),
  jwksTimeout: seconds(1, 60).default(5),
  jwksCooldown: seconds(1, 3600).default(30),
  jwksMaxAge: seconds(1, 86_400).default(600),
  jwksKeep: seconds(1, 2_592_000).default(86_400),
  allowHttp: z.boolean().default(false),
  algorithms: z.array(algorithm).min(1).optional(),
  issuer: oneOrMore.optional(),
  audience: oneOrMore.optional(),
  anyAudience: z.boolean().default(false),
  type: text.optional(),
  leeway: seconds(0, 600).default(5),
  maxTokenAge: seconds(1, 315_360_000).optional(),
  projectClaim: text.default('project'),
  defaultProject: z
    .string()
    .regex(/^[^\s\p{Cc}]+$/u, 'expected a word without spaces and control characters')
    .max(128)
    .default(''),
  subjectClaim: text.default('sub'),
  rightsClaim: text.optional(),
  rights: z
    .strictObject({
      send: scopes.default(['send']),
      receive: scopes.default(['receive']),
      watch: scopes.default(['watch']),
    })
    .prefault({}),
  defaultRights: z.array(right).optional(),
  namesClaim: text.optional(),
  defaultNames: z.array(text).optional(),
})

export const config = shape.superRefine((found, context) => {
  const problem = (key: keyof typeof found, message: string) =>
    context.addIssue({ code: 'custom', path: [key], message })
  const sources = KEY_SOURCES.filter((each) => found[each] !== undefined)
  if (sources.length === 0) {
    context.addIssue(`found no key; expected one of ${KEY_SOURCES.join(', ')}`)
  } else if (sources.length > 1) {
    const [first, second] = [sources[0]!, sources.at(-1)!]
    const mixed = first.startsWith('secret') && !second.startsWith('secret')
    const why = mixed ? 'a shared secret beside public keys invites key confusion; ' : ''
    problem(second, `found ${sources.join(' and ')}; ${why}keep one of them`)
  } else {
    const [possible, others] = (found.secret ?? found.secretEnv) ? [SYMMETRIC, ASYMMETRIC] : [ASYMMETRIC, SYMMETRIC]
    const wrong = found.algorithms?.find((each) => others.includes(each))
    if (wrong !== undefined) {
      problem(
        'algorithms',
        `found ${wrong} with ${sources[0]}, which invites key confusion; expected some of ${possible.join(', ')}`,
      )
    }
  }
  if (found.issuer === undefined && found.audience === undefined && !found.anyAudience) {
    context.addIssue(
      'found neither issuer nor audience, so that a token made for anything else would do; set one, or anyAudience: true',
    )
  }
  if (found.anyAudience && found.audience !== undefined)
    problem('anyAudience', 'found beside audience; remove one of them')
  if (found.jwksUrl !== undefined) {
    const wrong = urlProblem(found.jwksUrl, found.allowHttp)
    if (wrong !== undefined) problem('jwksUrl', wrong)
  }
  if (found.jwksKeep < found.jwksMaxAge) {
    problem('jwksKeep', `found ${found.jwksKeep}, expected at least jwksMaxAge (${found.jwksMaxAge})`)
  }
  if (found.defaultNames !== undefined && found.namesClaim === undefined) {
    problem('defaultNames', 'found without namesClaim; set that, or remove this')
  }
})

export type Config = z.infer<typeof config>

/** The URL is not quoted: it may hold a password. */
function urlProblem(value: string, allowHttp: boolean): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'found no http or https address'
  if (url.username !== '' || url.password !== '') return 'found a user or password in the address; remove it'
  if (url.protocol === 'https:' || allowHttp || LOOPBACK.has(url.hostname)) return undefined
  return 'found http, over which anybody on the way can put in keys; use https, or set allowHttp: true'
}
