import type { HttpResponse } from 'uWebSockets.js'
import type { Sockets } from '../../native/sockets.js'

/** The IP address of the client whose request is being handled, as text. Takes a system call. */
export function peerAddress(res: HttpResponse, sockets: Pick<Sockets, 'currentSocket' | 'remoteIpv4'>): string {
  const address = sockets.remoteIpv4(sockets.currentSocket())
  if (address !== undefined) return address
  return readable(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'))
}

/** uWebSockets writes an IPv4 peer of an IPv6 socket as `0000:…:ffff:7f00:0001`, and never shortens. */
function readable(address: string): string {
  const mapped = /^(?:0000:){5}ffff:(\w\w)(\w\w):(\w\w)(\w\w)$/i.exec(address)
  if (mapped === null) return address
  return mapped
    .slice(1)
    .map((hex) => Number.parseInt(hex, 16))
    .join('.')
}
