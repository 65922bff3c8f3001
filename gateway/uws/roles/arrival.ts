import type { BorrowedBytes } from '../../../core/index.js'
import type { Sockets } from '../../native/sockets.js'
import { Backoff } from '../body/backoff.js'
import type { ResponseBody, WriteFrom } from '../body/response-body.js'
import type { UwsContext } from '../connection/context.js'

/** So many bytes of the body leave alone, with the head, where it has to be known where in the output they are. */
const FIRST = 4096

/** What of a response has reached its client's machine, also when the response or the connection is over. */
export class Arrival {
  readonly sockets: Sockets
  /** 0: it cannot be known, and all that is written counts as arrived. */
  readonly #connection: number
  /** Where in the connection's output the response ends, once all of it has been sent. */
  #end = Number.NaN
  #isOver = false
  #hadBegun = false
  readonly #backoff = new Backoff()

  constructor(
    readonly context: Pick<UwsContext, 'sockets' | 'peers' | 'isEncrypted'>,
    readonly socket: number,
  ) {
    this.sockets = context.sockets
    this.#connection = this.sockets.follow(socket)
  }

  /** Something of the body has arrived. */
  get hasBegun(): boolean {
    return this.#isOver ? this.#hadBegun : this.sockets.hasArrived(this.#connection)
  }

  /** Writes the first bytes of the body, with the head in front of them, and returns how many of them were taken. */
  writeFirst(body: ResponseBody, bytes: BorrowedBytes, from: WriteFrom): number {
    const took = this.#first(body, () => body.write(bytes.subarray(0, FIRST), from))
    const goesOn = took === FIRST && !body.blocked && !body.done
    return goesOn ? took + body.write(bytes.subarray(took), from) : took
  }

  #first(body: ResponseBody, write: () => number): number {
    const { sockets } = this
    const before = sockets.written(this.#connection)
    const took = write()
    // Where the head ends is not known where it is encrypted, or has not left: then any byte counts.
    const isKnown = !this.context.isEncrypted && took > 0 && sockets.sentAll(this.socket) !== false
    if (body.begun) sockets.beginsAt(this.#connection, isKnown ? sockets.written(this.#connection) - took : before)
    return took
  }

  /**
   * The response has been written to its end. Returns true when all of it has arrived; otherwise calls `done` once it has, or the
   * connection is closed before.
   */
  await(done: (isWhole: boolean) => void): boolean {
    if (this.#isWhole) {
      this.release()
      return true
    }
    const look = () => {
      if (this.#isOver) return
      if (this.#hasVanished) this.sockets.abandon(this.#connection)
      const isWhole = this.#isWhole
      if (isWhole || this.#socket < 0) done(isWhole)
      else this.#backoff.retry(look)
    }
    this.#backoff.retry(look)
    return false
  }

  /** Below 0 when the connection is over. What was its socket may be another's then. */
  get #socket(): number {
    return this.sockets.socketOf(this.#connection)
  }

  /** The response is over, so nobody else looks for its client's machine. */
  get #hasVanished(): boolean {
    const { sockets, context } = this
    const socket = this.#socket
    return context.peers.seconds > 0 && socket >= 0 && sockets.hasVanished(socket, context.peers.seconds * 1000)
  }

  get #isWhole(): boolean {
    if (this.#connection === 0) return true
    const { sockets } = this
    const socket = this.#socket
    // What is left in uWebSockets' buffer has not been written yet.
    const isSent = Number.isNaN(this.#end) && socket >= 0 && sockets.sentAll(socket) !== false
    if (isSent) this.#end = sockets.written(this.#connection)
    return sockets.acknowledged(this.#connection) >= this.#end
  }

  /** Nobody waits for it any more: what is still on its way is dropped if nothing has arrived. */
  abandon(): void {
    this.sockets.abandon(this.#connection)
    this.release()
  }

  /** What is known now is all that will be. */
  release(): void {
    if (this.#isOver) return
    this.#hadBegun = this.hasBegun
    this.#isOver = true
    this.sockets.unfollow(this.#connection)
  }
}
