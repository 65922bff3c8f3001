import type { RequestView } from '../../gateway/host/plugin-api.js'
import { TOKEN } from './entries.js'

/** What a request says about who it is. */
export type Credentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'repeated'; readonly count: number }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'bearer' | 'basic'; readonly token: string }

/** Longer than any token that somebody could mean, and as long as a JWT may be. */
const LONGEST = 16 * 1024

/** Reads the `Authorization` header. Strict: what can be read in two ways is malformed. */
export function readCredentials(request: RequestView): Credentials {
  const values: string[] = []
  request.eachHeader((name, value) => {
    if (name === 'authorization') values.push(value)
  })
  const [value] = values
  if (value === undefined) return { kind: 'absent' }
  // One proxy reads the first of them, another one the last.
  if (values.length > 1) return { kind: 'repeated', count: values.length }
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) ([\x21-\x7e]+)$/.exec(value) ?? []
  if (rest.length > LONGEST) return { kind: 'malformed' }
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return TOKEN.test(rest) ? { kind: 'bearer', token: rest } : { kind: 'malformed' }
    case 'basic':
      return basic(rest)
    default:
      return { kind: 'malformed' }
  }
}

/** The password is the token, whatever the user's name. */
function basic(encoded: string): Credentials {
  const bytes = Buffer.from(encoded, 'base64')
  // Node skips what is not base64.
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return { kind: 'malformed' }
  const text = bytes.toString('latin1')
  const token = text.slice(text.indexOf(':') + 1)
  return text.includes(':') && TOKEN.test(token) ? { kind: 'basic', token } : { kind: 'malformed' }
}

/** Three parts in base64url: what a JWT looks like, and a token of ours may as well. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
}
