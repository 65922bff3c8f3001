import type { HttpResponse } from 'uWebSockets.js'
import type { BorrowedBytes } from '../../../core/index.js'
import type { Sockets } from '../../native/sockets.js'

/**
 * From where a body is written to.
 *
 * `callback`: from a callback of uWebSockets, of this connection or of another one.
 * `turn`: from the end of a turn of the event loop. There uWebSockets warns on standard error about each write without a cork.
 */
export type WriteFrom = 'callback' | 'turn'

/** The response that a body is written to. */
export interface BodyTarget {
  readonly res: HttpResponse
  /** Writes status line and headers. */
  readonly head: () => void
  /** The socket below, and the helper's calls for it. */
  readonly socket: number
  readonly sockets: Pick<
    Sockets,
    'joinChunks' | 'endBody' | 'askInBody' | 'bytesDue' | 'sendDue' | 'sentAll' | 'hasRoom'
  >
  readonly tls: boolean
  /** Present when the head shall leave before the body has a byte, and can: ends it. Returns whether that has worked. */
  readonly endHead?: (() => boolean) | undefined
}

/** A response body, whatever its framing. The head leaves in one packet with the first bytes. */
export interface ResponseBody {
  /** The kernel takes no more for now; uWebSockets will say when it does. */
  readonly blocked: boolean
  /** The body was complete with the last write, and uWebSockets has ended the response. */
  readonly done: boolean
  /** The head has been written. */
  readonly begun: boolean
  /** A write of so many bytes costs much less at the end of the turn. */
  wantsTurn(bytes: number): boolean
  /**
   * Returns how many bytes were taken. Only when not blocked. Fewer than all without being blocked means that the last bytes
   * wait for room, and that nothing will report when there is: try again.
   */
  write(bytes: BorrowedBytes, from: WriteFrom): number
  /** Sends the head before the body has any bytes, if the framing allows that. Only from a turn. */
  begin(): void
  /**
   * The client may have gone: sends it something that changes nothing, if the framing allows that. True: that, or something else, is on
   * its way to it, and draws its reset.
   */
  probe(): boolean
  /** The kernel takes bytes again. */
  unblock(): void
  /** Ends the body. Only when not blocked, and not when done. False: there is no room for its last bytes yet, try again. */
  end(): boolean
  /**
   * The same without ending the response, whose request goes on, and whose `end` is silent then. Undefined where that cannot be had.
   */
  endAlone?(): boolean
}
