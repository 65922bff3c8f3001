import { tlsOptions } from '../certificates.js'
import type { Values } from '../cli/description.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { authorization, headersOf } from '../wire/request-headers.js'
import type { Target } from './chain.js'
import type { description } from './description.js'

export interface Options {
  readonly target: Target
  readonly silenceMs: number
  readonly json: boolean
  /** Only the result. */
  readonly quiet: boolean
}

/** @throws WrongUsage */
export function readOptions(values: Values<typeof description>, env: NodeJS.ProcessEnv): Options {
  const where = values.url ?? (values.server || env.PIPEGATE_URL)
  if (!where) throw new WrongUsage('URL is missing, and so are --server and PIPEGATE_URL')
  const { url, credentials } = readUrl(where)
  const headers = { ...authorization(values.token, credentials, env), ...headersOf(values.header) }
  return {
    target: { url, headers, origin: originOf(values.origin), tls: tlsOptions(values) },
    silenceMs: values.silence * 1000,
    json: values.json,
    quiet: values.quiet,
  }
}

function readUrl(text: string): { readonly url: URL; readonly credentials: string | undefined } {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '') {
    throw new WrongUsage('expected an address such as https://HOST, without a query')
  }
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.hash = ''
  const given = username !== '' || password !== ''
  return { url, credentials: given ? `${decoded(username)}:${decoded(password)}` : undefined }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new WrongUsage('the user or the password in the address has a broken escape')
  }
}

function originOf(written: string | undefined): string | undefined {
  if (written === undefined || (URL.canParse(written) && new URL(written).origin === written)) return written
  throw new WrongUsage('--origin: expected an origin such as https://app.example.org:8443, without a path')
}
