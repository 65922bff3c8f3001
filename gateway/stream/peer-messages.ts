/**
 * Messages in the bytes of one direction of a duplex pipe, between two WebSockets: a byte that says what it is, three for its length,
 * and the message. So a message that is larger than the window passes through it in pieces, and what waits counts as bytes.
 */
import type { BorrowedBytes } from '../../core/index.js'

const BINARY = 0
const TEXT = 1
/** The end, as the WebSocket says it: two bytes for the code, and the reason. */
const CLOSE = 2
const HEAD_BYTES = 4

/** Shorter ones are put together with their head, which costs a copy and saves a call. */
const COPIED_BYTES = 4096

/** What a WebSocket closes with. */
export interface SocketClose {
  readonly code: number
  readonly reason: string
}

/** Puts messages into a stream. */
export class MessageWriter {
  #scratch: Uint8Array | undefined

  /** @param feed takes the next bytes of the stream, lent for the call; called once or twice */
  message(bytes: BorrowedBytes, isText: boolean, feed: (bytes: BorrowedBytes) => void): void {
    this.#write(isText ? TEXT : BINARY, bytes, feed)
  }

  close({ code, reason }: SocketClose, feed: (bytes: BorrowedBytes) => void): void {
    this.#write(CLOSE, Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]), feed)
  }

  #write(kind: number, bytes: BorrowedBytes, feed: (bytes: BorrowedBytes) => void): void {
    this.#scratch ??= new Uint8Array(HEAD_BYTES + COPIED_BYTES)
    const scratch = this.#scratch
    const { length } = bytes
    scratch[0] = kind
    scratch[1] = length >> 16
    scratch[2] = length >> 8
    scratch[3] = length
    if (length <= COPIED_BYTES) {
      scratch.set(bytes, HEAD_BYTES)
      feed(scratch.subarray(0, HEAD_BYTES + length))
      return
    }
    feed(scratch.subarray(0, HEAD_BYTES))
    feed(bytes)
  }
}

/** Finds them again. */
export class MessageReader {
  readonly #head = new Uint8Array(HEAD_BYTES)
  #headBytes = 0
  /** How much of the present message is still to come, and whether it has begun. */
  #left = 0
  #hasBegun = false
  readonly #close: number[] = []

  /** How the stream said that it ends. */
  get closed(): SocketClose | undefined {
    if (this.#close.length < 2) return undefined
    const [high, low, ...reason] = this.#close as [number, number, ...number[]]
    return { code: high * 256 + low, reason: Buffer.from(reason).toString() }
  }

  /**
   * Returns how many bytes were taken, from the front.
   * @param send takes a piece of a message; false: enough for now
   */
  read(
    bytes: BorrowedBytes,
    send: (piece: BorrowedBytes, isText: boolean, isFirst: boolean, isLast: boolean) => boolean,
    mostBytes: number,
  ): number {
    let at = 0
    let hasRoom = true
    while (hasRoom && at < bytes.length) {
      if (this.#headBytes < HEAD_BYTES) {
        this.#head[this.#headBytes++] = bytes[at++]!
        if (this.#headBytes < HEAD_BYTES) continue
        this.#begin()
        // A message of nothing is over with its head.
        if (this.#left > 0) continue
      }
      const piece = bytes.subarray(at, at + Math.min(this.#left, mostBytes))
      at += piece.length
      hasRoom = this.#pass(piece, send)
    }
    return at
  }

  #begin(): void {
    const [, high, middle, low] = this.#head as unknown as [number, number, number, number]
    this.#left = (high << 16) | (middle << 8) | low
    this.#hasBegun = false
  }

  #pass(
    piece: BorrowedBytes,
    send: (piece: BorrowedBytes, isText: boolean, isFirst: boolean, isLast: boolean) => boolean,
  ): boolean {
    const isFirst = !this.#hasBegun
    this.#hasBegun = true
    this.#left -= piece.length
    const isLast = this.#left === 0
    if (isLast) this.#headBytes = 0
    if (this.#head[0] !== CLOSE) return send(piece, this.#head[0] === TEXT, isFirst, isLast)
    this.#close.push(...piece)
    return true
  }
}
