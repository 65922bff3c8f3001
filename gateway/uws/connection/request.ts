import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { RequestView } from '../../http/request-view.js'
import type { Sockets } from '../../native/sockets.js'
import { isAscii } from './header-bytes.js'

/** A view of uWebSockets' request. It throws when it is read after the handler has returned. */
export class UwsRequest implements RequestView {
  readonly method: string
  #path: string | undefined
  #remoteAddress: string | undefined
  readonly #req: HttpRequest
  readonly #res: HttpResponse
  readonly #sockets: Pick<Sockets, 'currentSocket' | 'remoteIpv4'>

  constructor(req: HttpRequest, res: HttpResponse, sockets: Pick<Sockets, 'currentSocket' | 'remoteIpv4'>) {
    // Before any getMethod(), which lower-cases the method in place.
    this.method = req.getCaseSensitiveMethod()
    this.#req = req
    this.#res = res
    this.#sockets = sockets
  }

  get path(): string {
    this.#path ??= this.#req.getUrl()
    return this.#path
  }

  get query(): string {
    // undefined when there is no question mark, which the package's types do not say.
    return (this.#req.getQuery() as string | undefined) ?? ''
  }

  /** Reading it takes a system call, so it is read only once. */
  get remoteAddress(): string {
    this.#remoteAddress ??= this.#readAddress()
    return this.#remoteAddress
  }

  #readAddress(): string {
    const address = this.#sockets.remoteIpv4(this.#sockets.currentSocket())
    if (address !== undefined) return address
    return readable(Buffer.from(this.#res.getRemoteAddressAsText()).toString('latin1'))
  }

  header(lowerCaseName: string): string {
    return this.#req.getHeader(lowerCaseName)
  }

  eachHeader(visit: (name: string, value: string) => void): void {
    const seen: string[] = []
    this.#req.forEach((name, value) => {
      visit(name, isAscii(value) ? value : this.#latin1(name, value, seen.includes(name)))
      seen.push(name)
    })
  }

  /**
   * The bytes of a value that is not ASCII. `forEach` decodes them as UTF-8, where the last byte of a character can be a line
   * break. `getHeader` gives each byte as it is, but only for the first header of a name. In a repeated header bytes that are
   * not UTF-8 are lost.
   */
  #latin1(name: string, value: string, repeated: boolean): string {
    return repeated ? Buffer.from(value, 'utf8').toString('latin1') : this.#req.getHeader(name)
  }
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
