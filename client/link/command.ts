import { readAddress } from '../../gateway/http/address.js'
import { show } from '../../gateway/http/parameters.js'
import { linkUrl } from '../../plugins/links/link-text.js'
import { secretsFrom } from '../../plugins/links/secret.js'
import { sign } from '../../plugins/links/signature.js'
import type { CommandResult } from '../cli/command.js'
import type { Values } from '../cli/description.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { onServer } from '../server.js'
import type { description } from './description.js'

/** `pipegate link`: signs a link without asking the gateway, with the secret that it has. @throws WrongUsage */
export function run(values: Values<typeof description>): CommandResult {
  const url = onServer(values.url, values.server, process.env)
  return { text: `${signedLink({ ...values, url }, Date.now())}\n`, exitCode: 0 }
}

/**
 * @param now milliseconds since 1970
 * @throws WrongUsage for an address that is no name's, Error for a secret that cannot be read
 */
export function signedLink(values: Values<typeof description>, now: number): string {
  const { url, right, project } = values
  if (!/^[\w.-]*$/.test(project)) throw new WrongUsage('--project: expected letters, digits, "_", "-" or "."')
  const prefix = values.prefix === 'off' ? '' : values.prefix.replace(/\/$/, '')
  const name = nameOf(url, prefix)
  const expiry = Math.floor(now / 1000) + values.ttl
  const [secret = ''] = secretsFrom({ secretFile: values.secretFile })
  return linkUrl(url, right, sign({ project, name, right, expiry }, secret))
}

/** The name that the gateway reads from an address. */
function nameOf(address: string, prefix: string): string {
  // Not by URL, which would take "." and ".." segments away and escape what the gateway compares as it is.
  const [, origin, path] = /^(https?:\/\/[^\s/?#]+)(\/[^\s?#]*)$/i.exec(address) ?? []
  if (origin === undefined || path === undefined) {
    throw new WrongUsage(`found "${show(address)}", expected http://HOST/NAME without a query`)
  }
  const read = readAddress(path, { prefix, bareNames: true })
  if (!('kind' in read)) throw new WrongUsage(read.text)
  if (read.kind === 'reserved') throw new WrongUsage('that is no name of a pipe; expected http://HOST/NAME')
  return read.name
}
