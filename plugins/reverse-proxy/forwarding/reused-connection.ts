import type { Socket } from 'node:net'

/** A connection that has served other requests before, and that the upstream may close while it is idle. */
export class ReusedConnection {
  readonly #readBefore: number

  constructor(readonly socket: Socket) {
    this.#readBefore = socket.bytesRead
  }

  /** Something of an answer to the present request has come. */
  get hasAnswered(): boolean {
    return this.socket.bytesRead > this.#readBefore
  }

  /**
   * Runs when Node has looked at its sockets once more: an end that has arrived here by now is known then, and has failed the
   * request. The first turn may end without a look.
   */
  afterPoll(run: () => void): void {
    setImmediate(() => setImmediate(run))
  }
}
