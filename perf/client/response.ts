/** Reads HTTP/1.1 responses as they arrive, and hands out their bodies without copying. */

/** Gets `bytes[from, to)` of the body. The memory is used again when the call returns. */
export type TakeBody = (bytes: Buffer, from: number, to: number) => void

type State = 'head' | 'length' | 'size' | 'data' | 'data-end' | 'trailer' | 'complete'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

export class ResponseReader {
  /** Status of the response, 0 until its head has come. */
  status = 0
  /** The head as it came, Latin-1. */
  head = ''
  /** Bytes of the body so far. */
  received = 0
  /** The framing says that the body has ended. */
  complete = false

  readonly #take: TakeBody
  #state: State = 'head'
  /** Bytes left of the body, or of the chunk. */
  #left = 0
  #line = ''

  constructor(take: TakeBody) {
    this.#take = take
  }

  /** For the next response on the same connection. */
  reset(): void {
    this.status = 0
    this.head = ''
    this.received = 0
    this.complete = false
    this.#state = 'head'
    this.#line = ''
  }

  /** Takes `bytes[0, end)` as they came from the socket. Throws on anything that is not as HTTP asks for. */
  push(bytes: Buffer, end: number): void {
    let at = 0
    while (at < end) at = this.#step(bytes, at, end)
  }

  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at, end)
      case 'length':
        return this.#readBody(bytes, at, end, 'complete')
      case 'data':
        return this.#readBody(bytes, at, end, 'data-end')
      case 'complete':
        throw new Error(`${end - at} bytes came behind the end of the response`)
      default:
        return this.#readLine(bytes, at, end)
    }
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    const before = this.head.length
    const head = this.head + bytes.toString('latin1', at, Math.min(end, at + 32_768))
    const stop = head.indexOf('\r\n\r\n')
    if (stop < 0) {
      if (head.length > 65_536) throw new Error('the head of the response does not end')
      this.head = head
      return end
    }
    this.head = head.slice(0, stop + 4)
    this.#begin(this.head)
    return at + stop + 4 - before
  }

  #begin(head: string): void {
    this.status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(this.status)) throw new Error(`not a response: ${JSON.stringify(head.slice(0, 80))}`)
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)
    if (/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) this.#state = 'size'
    else if (length === null) throw new Error('the response has neither a length nor chunks')
    else this.#expectLength(Number(length[1]))
  }

  #expectLength(length: number): void {
    this.#left = length
    if (length === 0) this.#finish()
    else this.#state = 'length'
  }

  #readBody(bytes: Buffer, at: number, end: number, next: State): number {
    const to = Math.min(end, at + this.#left)
    this.#take(bytes, at, to)
    this.received += to - at
    this.#left -= to - at
    if (this.#left > 0) return to
    if (next === 'complete') this.#finish()
    else this.#state = next
    return to
  }

  /** A line of the chunked framing, which is short and may come in pieces. */
  #readLine(bytes: Buffer, at: number, end: number): number {
    const stop = bytes.indexOf(LINE_FEED, at)
    // The buffer is used again for every read, so that a line feed behind `end` is an old one.
    const whole = stop >= 0 && stop < end
    this.#line += bytes.toString('latin1', at, whole ? stop : end)
    if (this.#line.length > 64) throw new Error(`a line of the chunked framing is ${this.#line.length} bytes long`)
    if (!whole) return end
    if (this.#line.charCodeAt(this.#line.length - 1) !== CARRIAGE_RETURN) throw new Error('a line ends without CR')
    this.#takeLine(this.#line.slice(0, -1))
    this.#line = ''
    return stop + 1
  }

  #takeLine(line: string): void {
    if (this.#state === 'size') this.#takeSize(line)
    else if (line !== '') throw new Error(`"${line}" where the chunked framing has an empty line`)
    else if (this.#state === 'trailer') this.#finish()
    else this.#state = 'size'
  }

  #takeSize(line: string): void {
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) throw new Error(`"${line}" is not the size of a chunk`)
    this.#left = Number.parseInt(line, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'data'
  }

  #finish(): void {
    this.complete = true
    this.#state = 'complete'
  }
}
