import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { RequestView } from '../../http/request-view.js'
import type { Sockets } from '../../native/sockets.js'
import { isAscii } from './header-bytes.js'
import { peerAddress } from './peer-address.js'

/** A view of uWebSockets' request, where the helper cannot read it: over TLS. It throws when it is read after the handler has returned. */
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
    this.#remoteAddress ??= peerAddress(this.#res, this.#sockets)
    return this.#remoteAddress
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
