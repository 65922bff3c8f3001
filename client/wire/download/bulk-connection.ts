import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { ConnectionLost } from '../failures.js'
import { type BodyFraming, framingOf } from './body-framing.js'
import { Pieces } from './pieces.js'

const END_OF_HEAD = Buffer.from('\r\n\r\n')

/**
 * A connection for one request whose response is large. Node's HTTP reads the head, and all of an answer that is no stream. The body
 * of one that is does not pass it: Node would copy every 64 KiB to memory that is new each time, which costs more than all
 * the rest of receiving. It is read into a few buffers instead, again and again.
 */
export class BulkConnection {
  readonly #pieces = new Pieces(() => this.#socket.resume())
  #socket!: Socket
  /** Of the stream, once it has begun. */
  #framing: BodyFraming | undefined
  /** Node has got the head of an answer that is no stream, and gets all of it. */
  #isPlain = false
  /** How many bytes of the end of a head were the last that came. */
  #matched = 0

  /** `createConnection` of a request. */
  readonly connect = (options: object): Socket => {
    const onread = { buffer: () => this.#pieces.room, callback: (count: number) => this.#read(count) }
    this.#socket = connect({ ...(options as TcpNetConnectOpts), onread })
    return this.#socket
  }

  /** To be called with a request before its response has come. */
  watch(request: ClientRequest): void {
    request.prependOnceListener('response', (response: IncomingMessage) => {
      const { statusCode, headers } = response
      this.#isPlain = statusCode !== 200 && statusCode !== 206
      if (this.#isPlain) return
      this.#framing = framingOf(headers)
      this.#endWithConnection(this.#framing)
      // Node sees one that is cut behind its head.
      response.on('error', () => {}).resume()
    })
  }

  /**
   * The body of a stream. The memory of a piece is used again once the second one after it is asked for.
   * @throws ConnectionLost when it is not whole
   */
  body(): AsyncIterable<Buffer> {
    return this.#pieces.take(() => this.#socket.destroy())
  }

  #endWithConnection(framing: BodyFraming): void {
    if (framing.isEnded) this.#pieces.end()
    let isClosedByServer = false
    this.#socket.once('end', () => {
      isClosedByServer = true
    })
    this.#socket.once('close', () => {
      const isWhole = isClosedByServer && framing.endsWithConnection
      this.#pieces.end(isWhole ? undefined : new ConnectionLost('connection lost'))
    })
  }

  /** So many bytes are in the room. @returns false to read no more for now */
  #read(count: number): boolean {
    const bytes = this.#pieces.room.subarray(0, count)
    let at = 0
    // There may be several heads: 103 and what follows.
    while (this.#framing === undefined && at < count) {
      const end = this.#isPlain ? count : at + this.#headIn(bytes.subarray(at))
      // A copy: Node may keep it.
      this.#socket.emit('data', Buffer.from(bytes.subarray(at, end)))
      at = end
    }
    if (this.#framing === undefined || at === count) return true
    if (at > 0) bytes.copyWithin(0, at)
    return this.#take(this.#framing, bytes.subarray(0, count - at))
  }

  #take(framing: BodyFraming, bytes: Buffer): boolean {
    try {
      const mayGoOn = this.#pieces.add(framing.take(bytes))
      if (framing.isEnded) this.#pieces.end()
      return mayGoOn
    } catch (error) {
      this.#pieces.end(error as Error)
      this.#socket.destroy()
      return false
    }
  }

  /** How many of these bytes belong to the present head. */
  #headIn(bytes: Buffer): number {
    for (let at = 0; at < bytes.length; ) {
      const byte = bytes[at++]
      this.#matched = byte === END_OF_HEAD[this.#matched] ? this.#matched + 1 : byte === END_OF_HEAD[0] ? 1 : 0
      if (this.#matched < END_OF_HEAD.length) continue
      this.#matched = 0
      return at
    }
    return bytes.length
  }
}
