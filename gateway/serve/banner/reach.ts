import { isIP } from 'node:net'
import type { Config } from '../../config/config.js'
import { isLoopbackAddress, isLoopbackHost } from '../../http/hosts.js'
import { ownAddresses } from '../own-addresses.js'

/** What decides under which address a gateway answers. */
export interface Doors {
  readonly config: Pick<Config, 'host' | 'hosts' | 'tlsCert'>
  /** The one that was opened. */
  readonly port: number
  /** Whether a request for this host is answered. */
  readonly serves: (host: string) => boolean
  /** Host names in the certificates. */
  readonly certified: readonly string[]
  /** Names of this machine that lead to it. */
  readonly machineNames: readonly string[]
}

/** Origins at which this gateway answers, such as `http://192.0.2.7:8080`: the best one to give to people first. Never empty. */
export function reachableOrigins({ config, port, serves, certified, machineNames }: Doors): readonly string[] {
  const { host, hosts, tlsCert } = config
  const isHere = isLoopbackAddress(host)
  const isEvery = host === '0.0.0.0' || host === '::'
  const others = isHere
    ? []
    : [...hosts.filter(isReal), ...ownAddresses(host), ...machineNames, ...certified.filter(isReal)]
  const local = isHere ? [inUrl(host), 'localhost'] : isEvery ? ['127.0.0.1'] : []
  const found = [
    ...new Set([...others.map(inUrl).filter(serves), ...(tlsCert === undefined ? local.slice(0, 1) : local)]),
  ]
  const scheme = tlsCert === undefined ? 'http' : 'https'
  // An address that is in no certificate is refused by clients.
  const sorted = [
    ...found.filter((each) => isCertified(each, certified)),
    ...found.filter((each) => !isCertified(each, certified)),
  ]
  return sorted.map((each) => new URL(`${scheme}://${each}:${port}`).origin)
}

/** A name or an address that others use, and no pattern. */
function isReal(host: string): boolean {
  return !host.includes('*') && !isLoopbackHost(inUrl(host))
}

function inUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

function isCertified(host: string, names: readonly string[]): boolean {
  return names.includes(host) || names.includes(host.replace(/^[^.]+/, '*'))
}
