import type { IncomingHttpHeaders } from 'node:http'
import { ConnectionLost } from '../failures.js'

/** Finds the body of a response among the bytes of its connection. */
export interface BodyFraming {
  /**
   * Moves the bytes of the body together, to the beginning of `bytes`.
   * @returns how many there are
   * @throws ConnectionLost for what is no HTTP
   */
  take(bytes: Buffer): number
  readonly isEnded: boolean
  /** Whether the end of the connection is the end of the body. */
  readonly endsWithConnection: boolean
}

/** How the body of a response with this head is framed. A head with `Content-Length` and chunks has been refused by Node. */
export function framingOf(headers: IncomingHttpHeaders): BodyFraming {
  if (/\bchunked\s*$/i.test(headers['transfer-encoding'] ?? '')) return new Chunked()
  const length = headers['content-length']
  return new Counted(length === undefined ? Number.POSITIVE_INFINITY : Number(length))
}

/** By `Content-Length`; without one, as far as the connection goes. */
class Counted implements BodyFraming {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get isEnded(): boolean {
    return this.#left === 0
  }

  get endsWithConnection(): boolean {
    return this.#left === Number.POSITIVE_INFINITY
  }

  take(bytes: Buffer): number {
    const count = Math.min(this.#left, bytes.length)
    this.#left -= count
    return count
  }
}

const [CR, LF, SEMICOLON] = [0x0d, 0x0a, 0x3b]
/** Longest line of a chunk's size, and of the fields behind the last one, in bytes. */
const LONGEST_LINE = 8192

type Step = 'size' | 'extension' | 'end of size' | 'data' | 'end of data' | 'line feed' | 'trailer' | 'ended'

/** RFC 9112, 7.1. */
class Chunked implements BodyFraming {
  readonly endsWithConnection = false
  #step: Step = 'size'
  #size = 0
  /** Bytes of the present line. */
  #line = 0

  get isEnded(): boolean {
    return this.#step === 'ended'
  }

  take(bytes: Buffer): number {
    let taken = 0
    for (let at = 0; at < bytes.length && this.#step !== 'ended'; ) {
      if (this.#step !== 'data') {
        this.#read(bytes[at++]!)
        continue
      }
      const end = Math.min(bytes.length, at + this.#size)
      if (at > taken) bytes.copyWithin(taken, at, end)
      this.#size -= end - at
      taken += end - at
      at = end
      if (this.#size === 0) this.#step = 'end of data'
    }
    return taken
  }

  #read(byte: number): void {
    switch (this.#step) {
      case 'size':
        this.#readSize(byte)
        return
      case 'extension':
        if (byte === CR) this.#step = 'end of size'
        else if (byte === LF || ++this.#line > LONGEST_LINE) throw broken()
        return
      case 'end of size':
        this.#expect(byte, LF, this.#size > 0 ? 'data' : 'trailer')
        this.#line = 0
        return
      case 'end of data':
        this.#expect(byte, CR, 'line feed')
        return
      case 'line feed':
        this.#expect(byte, LF, 'size')
        this.#line = 0
        return
      default:
        this.#readTrailer(byte)
    }
  }

  #readSize(byte: number): void {
    const digit = Number.parseInt(String.fromCharCode(byte), 16)
    if (!Number.isNaN(digit)) {
      this.#size = this.#size * 16 + digit
      if (++this.#line > 16 || this.#size > Number.MAX_SAFE_INTEGER) throw broken()
    } else if (this.#line === 0) throw broken()
    else if (byte === SEMICOLON) this.#step = 'extension'
    else this.#expect(byte, CR, 'end of size')
  }

  /** Fields behind the last chunk say nothing that is used; an empty line ends them. */
  #readTrailer(byte: number): void {
    if (byte === LF) {
      if (this.#line === 0) this.#step = 'ended'
      this.#line = 0
    } else if (byte !== CR && ++this.#line > LONGEST_LINE) throw broken()
  }

  #expect(byte: number, expected: number, step: Step): void {
    if (byte !== expected) throw broken()
    this.#step = step
  }
}

function broken(): ConnectionLost {
  return new ConnectionLost('what answers there is not HTTP as it should be (a chunk is broken)')
}
