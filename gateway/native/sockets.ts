/** What the native helper does to sockets below uWebSockets. A socket is its file descriptor. */
export interface Sockets {
  /** While on, all reads are small: memory is scarce, and what a read brings has to be kept when no receiver takes it. */
  saveMemory(on: boolean): void
  /** In a callback of uWebSockets that a read caused: the socket that was read. */
  currentSocket(): number
  /** The last request of this connection has been answered; no other one is accepted on it. */
  spend(socket: number): void
  /** An answer with a body of so many bytes was given. Over TLS this is the only way to know how many are unread. */
  countAnswer(socket: number, bytes: number): void
  /**
   * In a callback of uWebSockets that a read caused: the socket that was read is spent, or its client goes on sending requests
   * without reading the answers.
   */
  currentIsSpent(): boolean
  /** While on, anything that the peer sends ends the connection. */
  mute(socket: number, on: boolean): void
  /** While on, reads may be large: each causes one callback. */
  expectBulk(socket: number, on: boolean): void
  /**
   * In the handler of a request with a chunked body, over plain TCP: from here on its framing is checked, and all chunks of a
   * read are made one.
   */
  watchChunks(socket: number): void
  /** In each `onData` of a watched socket: whether the framing is sound so far and, with `last`, has ended. */
  chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean): boolean
  /**
   * Once a chunked response over plain TCP has been written up to the end of a chunk: from here on a chunk of any size leaves by
   * one system call, inside a cork or not. False: not now, or never.
   */
  joinChunks(socket: number): boolean
  /**
   * On a socket whose chunks are joined: how many bytes at the end of the chunk written last have not been sent. Give them to
   * `sendDue`, except for the very last one, which leaves when uWebSockets flushes after that.
   */
  bytesDue(socket: number): number
  /** Returns how many of these bytes were taken, from the front. */
  sendDue(socket: number, bytes: Uint8Array): number
  /** Whether nothing of what was written waits in uWebSockets' own buffer. Undefined when this is unknown. */
  sentAll(socket: number): boolean | undefined
  /** Whether at most `queued` bytes are on their way to the peer's machine, and the kernel takes a few hundred more for certain. */
  hasRoom(socket: number, queued: number): boolean
  /** Bytes that were sent and that the peer's machine has not acknowledged. */
  queued(socket: number): number
  /** Sends an interim response, over plain TCP and before the status line, to draw the reset of a peer that has died. */
  sendContinue(socket: number): void
  /** Whether the peer has closed its side, or reset, even if bytes of it are still unread. */
  peerIsGone(socket: number): boolean
  /** The peer's address as dotted text; undefined when it is not an IPv4 address, or unknown. */
  remoteIpv4(socket: number): string | undefined
  /** Connections closed unread since the start, because the process had no file descriptor left for them. */
  turnedAway(): number
  /** Discards what native code prints on standard output while `run` runs. */
  quietly(run: () => void): void
}

/** Without the helper: nothing can be done, and no peer is known to be gone. */
export const NO_SOCKETS: Sockets = {
  saveMemory() {},
  currentSocket: () => -1,
  spend() {},
  countAnswer() {},
  currentIsSpent: () => false,
  mute() {},
  expectBulk() {},
  watchChunks() {},
  chunksAreSound: () => true,
  joinChunks: () => false,
  bytesDue: () => 0,
  sendDue: () => 0,
  sentAll: () => undefined,
  hasRoom: () => true,
  queued: () => 0,
  sendContinue() {},
  peerIsGone: () => false,
  remoteIpv4: () => undefined,
  turnedAway: () => 0,
  quietly: (run) => run(),
}
