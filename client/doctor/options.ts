import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { authorization, headersOf, WrongUsage } from '../wire/request-headers.js'
import type { Target } from './chain.js'

export interface Options {
  readonly target: Target
  readonly silenceMs: number
  readonly json: boolean
}

export const HELP = `Usage: pipegate doctor URL [flags]

Sends real transfers on names of its own through URL and what stands before the gateway there, and tells
what each part of the way does to them, and the setting that mends it. It takes about half a minute.
URL is where names live: https://HOST, or https://HOST/PREFIX for another prefix than /api/v1/pipe.

  --token TOKEN          Bearer token. Others on this machine can see it there: the variable
                         PIPEGATE_TOKEN is better.
  --header 'NAME: VALUE' Another header of every request; may be given more than once.
  --origin ORIGIN        The origin of pages that shall be able to use the gateway, such as https://app.example.org:
                         finds out whether they may. A client in a browser needs it, unless it is the gateway's own page.
  --cacert FILE          Certificates (PEM) to trust instead of the usual ones.
  --silence SECONDS      How much silence is watched, 1 to 3600. A time-out beyond it is not found. [20]
  --json                 Print one JSON object a line: every check, and the result.
  --help                 Print this help and exit (also -h).

Exit codes:
  0  every check is ok, or has a warning
  1  a check failed
  2  wrong arguments, or nobody answers at URL

Example: pipegate doctor https://pipe.example.org --silence 900
`

/** @throws WrongUsage */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { values, positionals } = parsed(argv)
  if (values.help) return 'help'
  const [text, stray] = positionals
  if (text === undefined || stray !== undefined) {
    throw new WrongUsage(`found ${positionals.length} addresses, expected one`)
  }
  const { url, credentials } = readUrl(text)
  const headers = { ...authorization(values.token, credentials, env), ...headersOf(values.header) }
  return {
    target: { url, headers, origin: originOf(values.origin), ca: certificates(values.cacert) },
    silenceMs: silenceOf(values.silence),
    json: values.json,
  }
}

function parsed(argv: readonly string[]) {
  const options = {
    token: { type: 'string' },
    header: { type: 'string', multiple: true, default: [] as string[] },
    origin: { type: 'string' },
    cacert: { type: 'string' },
    silence: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false, short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    // What follows is advice on how to write values that begin with a dash.
    throw new WrongUsage((error as Error).message.split('. ', 1)[0]!)
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

function certificates(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUsage(`--cacert: ${(error as Error).message}`)
  }
}

function silenceOf(written: string): number {
  if (/^[1-9]\d{0,3}$/.test(written) && Number(written) <= 3600) return Number(written) * 1000
  throw new WrongUsage('--silence: expected a whole number of seconds, 1 to 3600')
}
