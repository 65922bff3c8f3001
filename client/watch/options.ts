import { type TlsOptions, tlsOptions } from '../certificates.js'
import type { Values } from '../cli/description.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { onServer } from '../server.js'
import { type Address, readAddress } from '../wire/address.js'
import { authorization, headersOf } from '../wire/request-headers.js'
import type { description } from './description.js'

export interface Options {
  readonly address: Address
  /** Besides those that every request has. */
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsOptions
  /** Milliseconds after which it gives up; undefined: never. */
  readonly timeoutMs: number | undefined
  /** The last transfer of an idle name counts. */
  readonly last: boolean
  readonly json: boolean
  readonly quiet: boolean
}

/** @throws WrongUsage */
export function readOptions(values: Values<typeof description>, env: NodeJS.ProcessEnv): Options {
  const { last, json, quiet, timeout, token, header } = values
  const address = readAddress(onServer(values.url, values.server, env))
  if (address === undefined) throw new WrongUsage('expected an address such as https://HOST/NAME')
  const headers = { ...authorization(token, address.credentials, env), ...headersOf(header) }
  const timeoutMs = timeout === undefined ? undefined : timeout * 1000
  return { address, headers, tls: tlsOptions(values), timeoutMs, last, json, quiet }
}
