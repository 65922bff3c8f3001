import { parseArgs } from 'node:util'
import { show } from '../../gateway/http/parameters.js'
import { type Address, readAddress } from '../wire/address.js'
import { authorization, headersOf, WrongUsage } from '../wire/request-headers.js'

export interface Options {
  readonly address: Address
  /** Besides those that every request has. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds after which it gives up; undefined: never. */
  readonly timeoutMs: number | undefined
  /** The last transfer of an idle name counts. */
  readonly last: boolean
  readonly json: boolean
  readonly quiet: boolean
}

export const HELP = `Usage: pipegate watch URL [flags]

Shows the progress of the transfer on a name until it ends: one line that redraws on a terminal,
lines of text elsewhere. URL is https://HOST/NAME, or HOST/NAME for http. What its query has, such
as the signature of a link, is kept.

  --token TOKEN          Bearer token. Others on this machine can see it there: the variable
                         PIPEGATE_TOKEN is better.
  --header 'NAME: VALUE' Another header of the request; may be given more than once.
  --timeout SECONDS      Give up after so many seconds.
  --last                 When nothing goes on there, exit by the outcome of the last transfer.
  --json                 Print one JSON object a line: every event, and the outcome.
  --quiet                Print only how it ended.
  --help                 Print this help and exit (also -h).

Exit codes:
  0  the transfer is complete
  1  it failed, or nobody knows any more how it ended
  2  wrong arguments, no such server, or the server refuses
  3  it was not over after --timeout seconds
  130, 143, 129: interrupted (SIGINT, SIGTERM, SIGHUP); 141: nobody reads the output

Example: pipegate watch https://pipe.example.org/migration && ./next-step
`

/** @throws WrongUsage */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { values, positionals } = parsed(argv)
  if (values.help) return 'help'
  const [url, stray] = positionals
  if (url === undefined || stray !== undefined) {
    throw new WrongUsage(`found ${positionals.length} addresses, expected one`)
  }
  const address = readAddress(url)
  if (address === undefined) throw new WrongUsage('expected an address such as https://HOST/NAME')
  const { last, json, quiet } = values
  const headers = { ...authorization(values.token, address.credentials, env), ...headersOf(values.header) }
  return { address, headers, timeoutMs: timeoutOf(values.timeout), last, json, quiet }
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const
  const off = { type: 'boolean', default: false } as const
  const options = {
    token: text,
    header: { ...text, multiple: true, default: [] as string[] },
    timeout: text,
    last: off,
    json: off,
    quiet: off,
    help: { ...off, short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    // What follows is advice on how to write values that begin with a dash.
    throw new WrongUsage(show((error as Error).message.split('. ', 1)[0]!))
  }
}

function timeoutOf(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  // More than a setTimeout can wait would fire at once.
  if (/^[1-9]\d{0,6}$/.test(written) && Number(written) <= 2_000_000) return Number(written) * 1000
  throw new WrongUsage('--timeout: expected a whole number of seconds, 1 to 2000000')
}
