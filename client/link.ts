import { parseArgs } from 'node:util'
import { readAddress } from '../gateway/http/address.js'
import { show } from '../gateway/http/parameters.js'
import { linkUrl } from '../plugins/links/link-text.js'
import { secretsFrom } from '../plugins/links/secret.js'
import { type LinkRight, sign } from '../plugins/links/signature.js'
import type { CommandResult } from './command.js'

const USAGE =
  'usage: pipegate link URL --secret-file FILE --right watch|receive [--ttl 1h] [--project PROJECT] [--prefix PATH|off]'

/** What is written with a unit, in seconds. */
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }
const YEAR = 31_536_000

class Usage extends Error {}

/**
 * `pipegate link`: signs a link without asking the gateway, with the secret that it has. The exit code is 2 for wrong
 * arguments, 1 for a secret that cannot be read.
 * @param clock milliseconds since 1970, for tests
 */
export function linkCommand(argv: readonly string[], clock: () => number = Date.now): CommandResult {
  try {
    return { text: `${link(argv, clock)}\n`, exitCode: 0 }
  } catch (error) {
    const line = `pipegate: ${(error as Error).message}\n`
    return error instanceof Usage ? { text: `${line}${USAGE}\n`, exitCode: 2 } : { text: line, exitCode: 1 }
  }
}

function link(argv: readonly string[], clock: () => number): string {
  const { values, positionals } = parsed(argv)
  const [address, stray] = positionals
  if (address === undefined || stray !== undefined)
    throw new Usage(`found ${positionals.length} addresses, expected one`)
  const file = values['secret-file']
  if (file === undefined) throw new Usage('--secret-file is missing')
  const { right } = values
  if (right !== 'watch' && right !== 'receive') throw new Usage('--right: expected watch or receive')
  const { project } = values
  if (!/^[\w.-]*$/.test(project)) throw new Usage('--project: expected letters, digits, "_", "-" or "."')
  const expiry = Math.floor(clock() / 1000) + ttlOf(values.ttl)
  const prefix = values.prefix === 'off' ? '' : values.prefix.replace(/\/$/, '')
  const { shown, name } = nameOf(address, prefix)
  const [secret = ''] = secretsFrom({ secretFile: file })
  return linkUrl(shown, right satisfies LinkRight, sign({ project, name, right, expiry }, secret))
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    'secret-file': text,
    right: text,
    ttl: { ...text, default: '1h' },
    project: { ...text, default: '' },
    prefix: { ...text, default: '/api/v1/pipe' },
  } as const
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw new Usage(show((error as Error).message))
  }
}

function ttlOf(written: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(written) ?? []
  const ttl = Number(digits) * UNITS[unit]!
  if (ttl >= 1 && ttl <= YEAR) return ttl
  throw new Usage(`--ttl: found "${show(written)}", expected 90s, 30m, 1h or 7d, and at most a year`)
}

/** The address without its query, and the name that the gateway reads from it. */
function nameOf(address: string, prefix: string): { shown: string; name: string } {
  // Not by URL, which would take "." and ".." segments away and escape what the gateway compares as it is.
  const [, origin, path] = /^(https?:\/\/[^\s/?#]+)(\/[^\s?#]*)$/i.exec(address) ?? []
  if (origin === undefined || path === undefined) {
    throw new Usage(`found "${show(address)}", expected http://HOST/NAME without a query`)
  }
  const read = readAddress(path, { prefix, bareNames: true })
  if (!('kind' in read)) throw new Usage(read.text)
  if (read.kind === 'reserved') throw new Usage('that is no name of a pipe; expected http://HOST/NAME')
  return { shown: address, name: read.name }
}
