import type { HttpResponse } from 'uWebSockets.js'
import type { RequestView } from '../../http/request-view.js'
import type { Sockets } from '../../native/sockets.js'
import { isAscii } from './header-bytes.js'
import { peerAddress } from './peer-address.js'

/** A view of a head that the helper has read: native/head.h says how its text is written. */
export class ParsedRequest implements RequestView {
  readonly method: string
  readonly path: string
  readonly query: string
  #remoteAddress: string | undefined
  /** Names and values by turns; undefined until somebody asks for one. */
  #fields: readonly string[] | undefined
  readonly #text: string
  /** Where the fields begin in the text. */
  readonly #from: number

  /**
   * @param text all of what `currentHead` returned
   * @param from where its first line ends
   */
  constructor(
    text: string,
    from: number,
    readonly res: HttpResponse,
    readonly sockets: Pick<Sockets, 'currentSocket' | 'remoteIpv4'>,
  ) {
    const end = text.indexOf('\n', from)
    // A head that was refused early has no such line.
    const [method = '', latin1 = ''] = end < 0 ? [] : text.slice(from, end).split(' ')
    // Bytes beyond ASCII are UTF-8 if they are anything: the URL standard has no others.
    const target = isAscii(latin1) ? latin1 : Buffer.from(latin1, 'latin1').toString('utf8')
    const mark = target.indexOf('?')
    this.method = method
    this.path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.#text = text
    this.#from = end < 0 ? text.length : end + 1
  }

  get remoteAddress(): string {
    this.#remoteAddress ??= peerAddress(this.res, this.sockets)
    return this.#remoteAddress
  }

  header(lowerCaseName: string): string {
    const fields = this.#read()
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === lowerCaseName) return fields[i + 1]!
    return ''
  }

  eachHeader(visit: (name: string, value: string) => void): void {
    const fields = this.#read()
    for (let i = 0; i < fields.length; i += 2) visit(fields[i]!, fields[i + 1]!)
  }

  #read(): readonly string[] {
    if (this.#fields !== undefined) return this.#fields
    const text = this.#text
    const fields: string[] = []
    for (let at = this.#from; at < text.length; ) {
      const colon = text.indexOf(':', at)
      const end = text.indexOf('\n', colon)
      fields.push(text.slice(at, colon), text.slice(colon + 1, end))
      at = end + 1
    }
    this.#fields = fields
    return fields
  }
}
