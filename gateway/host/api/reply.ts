import type { Refusal } from '../../../core/index.js'
import type { Answer, HeaderList } from '../../http/response/answer.js'

/** The body of a claimed request. Nothing is read before `read` is called, and nothing when `reply` is over. */
export interface Body {
  /** Its `Content-Length`, 0 when there is none; undefined when it is chunked. */
  readonly length: number | undefined
  /** Once. From now on the bytes are handed out, each piece lent for the call; `end` follows the last one. */
  read(feed: (bytes: Uint8Array) => void, end: () => void): void
  /** Stops reading for now; bytes that have been read already may still be handed out. */
  pause(): void
  resume(): void
}

/** A response. It never throws; once it `isOver` every call does nothing and returns false. */
export interface Reply {
  readonly isOver: boolean
  /** A complete answer. */
  give(answer: Answer | Refusal): boolean
  /**
   * Begins a stream, of unknown length unless it is given. The answer to a HEAD, and a 204 or a 304, has no more than this. The
   * head leaves with the first bytes when the length is unknown.
   */
  open(status: number, headers: HeaderList, length?: number): boolean
  /**
   * False: enough for now, `onDrain` follows. What has been written is kept until the client takes it; at 16 MiB the
   * connection is cut. Bytes must not be changed from then on. A response of a known length ends with its last byte.
   */
  write(piece: string | Uint8Array): boolean
  /**
   * Sends what has been written now, and not at the end of this turn of the event loop: for much that comes at once, while it
   * is in the processor's cache. Only a hint, and ignored in a hook or a handler, where others are being served.
   */
  sendNow(): void
  /** Bytes written that are still kept in this process. */
  readonly kept: number
  /** Ends an open stream. One whose announced length is not reached is cut. */
  close(): boolean
  /** Cuts the connection, so that the response does not look complete. */
  cut(): void
  onDrain(run: () => void): void
}
