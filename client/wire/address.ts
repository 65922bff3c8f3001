import { urlToHttpOptions } from 'node:url'

/** The address of a name, as somebody wrote it. */
export interface Address {
  readonly secure: boolean
  /** Host and port, as `http.request` takes them. */
  readonly server: { readonly hostname: string; readonly port: number | undefined }
  /** For people: without the usual prefix, in printable ASCII. */
  readonly name: string
  /** `user:password` of the address, decoded. */
  readonly credentials: string | undefined
  /** Path and query, with this besides what the address has: `progress`. */
  target(mode: string): string
}

const FORM =
  /^(?:(https?):\/\/|(?![a-z][a-z0-9+.-]*:\/\/))(?:([^/?#]*)@)?([^@/?#\\]+)(\/[^?#]+)(?:\?([^#]*))?(?:#.*)?$/is
const USUAL_PREFIX = /^\/api\/v1\/pipe\/(?=.)/

/**
 * `https://host/name`, or `host/name` for http; with `?progress` or without, and whatever else is in the query stays there.
 * Returns undefined for what is no such address.
 */
export function readAddress(text: string): Address | undefined {
  // The path not by URL, which takes "." and ".." segments away and escapes what the gateway compares as it is.
  const [, scheme = 'http', user, authority = '', path = '', query = ''] = FORM.exec(text) ?? []
  if (path.length < 2) return undefined
  const server = serverOf(`${scheme.toLowerCase()}://${authority}`)
  const credentials = user === undefined ? undefined : decoded(user)
  if (server === undefined || credentials === null) return undefined
  const sentPath = escaped(path)
  const kept = query.split('&').filter((part) => part !== '' && !/^progress(=|$)/.test(part))
  return {
    secure: scheme.toLowerCase() === 'https',
    server,
    name: sentPath.replace(USUAL_PREFIX, '/').slice(1),
    credentials,
    target: (mode) => `${sentPath}?${[mode, ...kept.map(escaped)].join('&')}`,
  }
}

function serverOf(origin: string): Address['server'] | undefined {
  if (!URL.canParse(origin)) return undefined
  const { hostname, port } = urlToHttpOptions(new URL(origin))
  // The default port of the scheme is that of the module that makes the request.
  return { hostname: hostname as string, port: port === undefined || port === '' ? undefined : Number(port) }
}

/** null when it cannot be decoded. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** What no request line may have, as UTF-8 escapes: what a browser would send. */
function escaped(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, encodeURIComponent)
}
