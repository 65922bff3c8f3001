import { isIP } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { isLoopbackAddress } from '../http/hosts.js'

/**
 * Addresses of this machine at which others may reach a gateway that listens there, as they stand in a URL: IPv6 in brackets. The
 * IPv4 ones come first, for they are easier to type. Whether a firewall lets anybody in is not known.
 * @param address as the setting `host` has it: one of this machine's, a name, or `0.0.0.0` or `::` for all of them
 */
export function ownAddresses(address: string): readonly string[] {
  if (isLoopbackAddress(address)) return []
  if (address !== '0.0.0.0' && address !== '::') return [isIP(address) === 6 ? `[${address}]` : address]
  const others = everyInterface().filter(({ internal }) => !internal)
  const v4 = others.filter(({ family }) => family === 'IPv4').map((each) => each.address)
  // What is link-local needs a zone, which means something on this machine only.
  const v6 = others.filter((each) => each.family === 'IPv6' && !/^fe[89ab]/i.test(each.address))
  return address === '0.0.0.0' ? v4 : [...v4, ...v6.map((each) => `[${each.address}]`)]
}

/** None where the system does not tell: asking takes a netlink socket, which a service may have to do without. */
function everyInterface(): readonly NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  } catch {
    return []
  }
}
