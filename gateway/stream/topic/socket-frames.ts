import { isUtf8 } from 'node:buffer'
import type { TopicFormat, TopicMessage } from '../../../core/index.js'

const HEAD_BYTES = 5
const TEXT = 1

/** Takes a message, lent for the call. False: no more of them for now. */
export type TakeMessage = (bytes: Uint8Array, isText: boolean) => boolean

/** Messages for WebSockets, which have frames of their own: each behind a byte that says whether it is text, and its length. */
export class SocketFrames implements TopicFormat {
  readonly head = { length: undefined, fields: [] }

  encode({ bytes }: TopicMessage): Uint8Array {
    const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes.length)
    frame[0] = isUtf8(bytes) ? TEXT : 0
    frame.writeUInt32BE(bytes.length, 1)
    frame.set(bytes, HEAD_BYTES)
    return frame
  }
}

/** Finds the messages in those bytes again, wherever they are cut. */
export class SocketFrameReader {
  /** What has come of a frame that is not complete. */
  #frame: Buffer | undefined
  #filled = 0

  /** Gives out all messages that are complete, until `take` returns false. Returns how many bytes have been read. */
  read(bytes: Uint8Array, take: TakeMessage): number {
    let at = 0
    while (at < bytes.length) {
      const whole = this.#frame === undefined ? frameIn(bytes, at) : undefined
      const from = at
      at += whole?.length ?? this.#wanted(bytes.length - at)
      const frame = whole ?? this.#fill(bytes.subarray(from, at))
      if (frame !== undefined && !take(frame.subarray(HEAD_BYTES), frame[0] === TEXT)) return at
    }
    return at
  }

  /** How many of so many bytes belong to the frame that is not complete. */
  #wanted(available: number): number {
    const length = this.#frame?.length ?? HEAD_BYTES
    return Math.min(available, length - this.#filled)
  }

  /** Adds to the frame that is not complete. Returns it when it is. */
  #fill(bytes: Uint8Array): Buffer | undefined {
    this.#frame ??= Buffer.allocUnsafe(HEAD_BYTES)
    this.#frame.set(bytes, this.#filled)
    this.#filled += bytes.length
    if (this.#filled === HEAD_BYTES && this.#frame.length === HEAD_BYTES) {
      const head = this.#frame
      this.#frame = Buffer.allocUnsafe(HEAD_BYTES + head.readUInt32BE(1))
      this.#frame.set(head)
    }
    if (this.#filled < this.#frame.length) return undefined
    const frame = this.#frame
    this.#frame = undefined
    this.#filled = 0
    return frame
  }
}

/** The frame that begins here, if all of it is there. */
function frameIn(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (bytes.length - at < HEAD_BYTES) return undefined
  const length = HEAD_BYTES + new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(1)
  return bytes.length - at < length ? undefined : bytes.subarray(at, at + length)
}
