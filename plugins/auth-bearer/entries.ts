import { z } from '../../gateway/host/plugin-api.js'
import { grantFields, grantOf, words } from '../grants/fields.js'
import type { ListOf } from '../grants/list-file.js'
import { digestOf, type TokenGrant } from './token-table.js'

/** The least number of characters of a token: fewer can be guessed. */
export const SHORTEST = 20

/** What RFC 6750 lets stand behind `Bearer `: anything else could never be presented. */
export const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

// No message has a value in it: what stands in the wrong place may be a token.
const KEYS = ['name', 'project', 'rights', 'names', 'hash', 'token', 'env']

export const entrySchema = z
  .strictObject(
    {
      ...grantFields,
      hash: z
        .string({ error: 'expected sha256:<64 hex digits>' })
        .regex(/^sha256:[0-9a-f]{64}$/i, { error: 'expected sha256:<64 hex digits>' })
        .optional(),
      token: z.string({ error: 'expected a token' }).optional(),
      env: z.string({ error: 'expected the name of a variable' }).min(1, { error: 'expected a name' }).optional(),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `found a key that is unknown; the known ones are ${words(...KEYS)}`
          : 'expected a mapping with name, and with hash, token or env',
    },
  )
  .refine(({ hash, token, env }) => [hash, token, env].filter((each) => each !== undefined).length === 1, {
    error: 'expected exactly one of hash, token and env',
  })

export type Entry = z.infer<typeof entrySchema>

export const entriesSchema = z.array(entrySchema, { error: 'expected a list of tokens' })

/** What a file of tokens has. */
export const TOKENS: ListOf<Entry> = { what: 'tokens', schema: entriesSchema }

type Environment = Readonly<Record<string, string | undefined>>

/** @throws Error with one line, without the token */
export function tokenGrantOf(entry: Entry, env: Environment): TokenGrant {
  return { ...grantOf(entry), digest: digestFor(entry, env) }
}

function digestFor({ name, hash, token, env: variable }: Entry, env: Environment): Buffer {
  if (hash !== undefined) return Buffer.from(hash.slice('sha256:'.length), 'hex')
  const text = variable === undefined ? token! : env[variable]
  const where = variable === undefined ? `the token "${name}"` : `the token "${name}", from its variable,`
  if (text === undefined || text === '') {
    const what = variable === undefined ? 'is empty' : 'has a variable that is not set'
    throw new Error(`the token "${name}" ${what}; "pipegate token" makes one`)
  }
  if (text.length < SHORTEST) {
    const found = `${where} has ${text.length} characters`
    throw new Error(`${found}, expected at least ${SHORTEST}; "pipegate token" makes one`)
  }
  if (!TOKEN.test(text)) {
    throw new Error(`${where} has characters that no token has; use letters, digits and - . _ ~ + /`)
  }
  return digestOf(text)
}
