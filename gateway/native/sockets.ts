/** What the native helper does to sockets below uWebSockets. A socket is its file descriptor. */
export interface Sockets {
  /** While on, all reads are small: memory is scarce, and what a read brings has to be kept when no receiver takes it. */
  saveMemory(on: boolean): void
  /** In a callback of uWebSockets that a read caused: the socket that was read. */
  currentSocket(): number
  /**
   * In the handler of a request, if the helper has read it: its head. The first line is a digit each for keep-alive, Expect,
   * WebSocket, framing (0 none, 1 a length, 2 chunks) and HTTP/1.0, the length, a space, and what is wrong with it
   * (native/head.h has the names); then the head as native/head.h says. Undefined over TLS.
   */
  currentHead(): string | undefined
  /** Whether TLS is spoken below uWebSockets, which sees plain connections then. */
  readonly speakTls: boolean
  /** A place for the certificates of one gateway, of which a process may have several; 0 when there is none left. */
  newPlace(): number
  leavePlace(place: number): void
  /** With which certificates ports that are opened from now on speak TLS; 0: they do not. */
  openForTls(place: number): void
  /**
   * What new connections over TLS begin with from here on, in all threads. Each certificate is its chain and its key in PEM, and its names; the
   * first is for clients that ask for no name, or for one that none has.
   * @param clients whether they are not asked for a certificate (0), may (1) or must (2) show one. Whatever they show, the handshake goes on
   * @param authorities who vouches for those, in PEM; '' for nobody
   * @param revoked lists of those that do not count any more, in PEM, one of each authority; '' for none
   * @throws Error with one line on what cannot be used; nothing has changed then
   */
  useCertificates(
    place: number,
    certificates: readonly (readonly string[])[],
    clients: 0 | 1 | 2,
    authorities: string,
    revoked: string,
  ): void
  /** How many handshakes with the certificates in this place have failed since the start. */
  handshakesFailed(place: number): number
  /** The same for each kind, as gateway/serve/failed-handshakes.ts has them: a line with the number, a space and the address of the last client. */
  failedHandshakes(place: number): string
  /** What has been encrypted for clients that take nothing more, in bytes. */
  keptEncrypted(): number
  /** Version and cipher: `TLSv1.3 TLS_AES_128_GCM_SHA256`. Undefined for a plain connection. */
  secureTerms(socket: number): string | undefined
  /**
   * What counts now of what the client has shown: the number of its certificate, which no other connection of the process has; 0 when it has shown
   * none; -1 when that does not count, -2 when it has shown none and has to.
   */
  clientOf(socket: number): number
  /** The certificate that counts, in DER. */
  clientCertificate(socket: number): Buffer | undefined
  /** Why the one that was shown does not count, in words; undefined when that is not so. */
  clientCertificateFault(socket: number): string | undefined
  /** After how many seconds of silence a client's machine is gone, for ports that are opened from now on. 0 is never. */
  watchPeers(seconds: number): void
  /** The response is over: the next request may come, or the connection closes when all has been sent. */
  responseIsOver(socket: number, closes: boolean): void
  /** What still comes of the present request is dropped, and no other one is accepted on this connection. */
  discard(socket: number): void
  /** The present request has become a WebSocket, whose client may send messages of so many bytes. */
  becomeWebSocket(socket: number, most: number): void
  /** While `on`, nothing of what the client of this WebSocket sends is read. Messages of the read before may still come. */
  pauseWebSocket(socket: number, on: boolean): void
  /**
   * Sends a close frame with code 1000, and nothing behind it. What the client says until it answers still comes, which uWebSockets drops
   * once it has closed by itself. False: nothing has been done.
   */
  closeWebSocket(socket: number): boolean
  /**
   * Calls `run` soon after the unfinished message of a WebSocket has changed, by 4 KiB or to nothing, or when one is too long. The
   * socket may be another connection's by then. Never over TLS, where frames cannot be seen.
   */
  onUnfinishedMessage(run: (socket: number) => void): void
  /** Bytes that have come of a message that is not complete; -1: it is too long, and nothing that comes is handed on any more. */
  unfinishedMessage(socket: number): number
  /**
   * Calls `run` when a client has closed its side while its response is awaited: it goes on reading, or is gone. `asked`: an
   * interim response was sent, which draws a reset if it is gone. `early`: it had done so when its request was read.
   */
  onHalfClosed(run: (socket: number, asked: boolean, early: boolean) => void): void
  /** While on, reads may be large: each causes one callback. */
  expectBulk(socket: number, on: boolean): void
  /** In each `onData`: whether the framing of the body is sound so far. Always true over TLS, where nobody knows. */
  bodyIsSound(socket: number): boolean
  /**
   * Once a chunked response over plain TCP has been written up to the end of a chunk: from here on a chunk of any size leaves by
   * one system call, inside a cork or not. False: not now, or never.
   */
  joinChunks(socket: number): boolean
  /**
   * Once the head of a chunked response over plain TCP has been written, and nothing else: it leaves now, without a byte of the body;
   * and chunks are joined. False: not now, or never.
   */
  endHead(socket: number): boolean
  /**
   * On a socket whose chunks are joined: ends the body, before uWebSockets does, of which nothing will leave any more. False:
   * nothing has been done; something else has to be sent first.
   */
  endBody(socket: number): boolean
  /**
   * On a socket whose chunks are joined: draws the reset of a client that is gone, by a part of the next chunk's line, a few times for
   * each chunk. True: that, or something else, is on its way to it. False: there is nothing that could be sent.
   */
  askInBody(socket: number): boolean
  /**
   * On a socket whose chunks are joined: how many bytes at the end of the chunk written last have not been sent. Give them to
   * `sendDue`, except for the very last one, which leaves when uWebSockets flushes after that.
   */
  bytesDue(socket: number): number
  /** Returns how many of these bytes were taken, from the front. */
  sendDue(socket: number, bytes: Uint8Array): number
  /**
   * What was read last stands in `copy` as well, from its front, and stays there until `stageRelease`: sends of it need not copy it
   * again. Other bytes than what was read last are ignored.
   */
  stageCopy(original: Uint8Array, copy: Uint8Array): void
  /** The memory of a copy, by its front, is about to be written over. */
  stageRelease(copy: Uint8Array): void
  /** Whether nothing of what was written waits in uWebSockets' own buffer. Undefined when this is unknown. */
  sentAll(socket: number): boolean | undefined
  /** Whether the client's machine has acknowledged anything of the present response. */
  hasAcknowledged(socket: number): boolean
  /** Whether at most `queued` bytes are on their way to the peer's machine, and the kernel takes a few hundred more for certain. */
  hasRoom(socket: number, queued: number): boolean
  /** Bytes that were sent and that the peer's machine has not acknowledged. */
  queued(socket: number): number
  /** Sends an interim response, over plain TCP and before the status line: to invite a body, or to draw the reset of a dead peer. */
  sendInterim(socket: number, status: 100 | 102): void
  /** When this socket is closed its peer is told that the connection failed. */
  resetAtClose(socket: number): void
  /** Whether the peer has closed its side, or reset, even if bytes of it are still unread. */
  peerIsGone(socket: number): boolean
  /**
   * Whether the client's machine has answered nothing for so long, although it was sent something or was asked. To be called every
   * few seconds: the first time says no. A client that only does not read is never one.
   */
  hasVanished(socket: number, silentMs: number): boolean
  /** While its response is awaited: whether the client is there, as far as can be told now. One that has closed its side is asked. */
  isHere(socket: number): boolean
  /**
   * Follows the connection, also beyond its end, until `unfollow`: its number in the calls below. 0: it cannot be followed, and all
   * that is written counts as arrived.
   */
  follow(socket: number): number
  unfollow(connection: number): void
  /** Bytes that have been sent on the connection, and of these the ones that the peer's machine has acknowledged. */
  written(connection: number): number
  acknowledged(connection: number): number
  /**
   * What must not get lost begins behind so many bytes of what is written. As long as nothing of it has arrived the connection
   * is closed by a reset, so that nothing can arrive later.
   */
  beginsAt(connection: number, offset: number): void
  /** Whether a byte of it has been acknowledged. */
  hasArrived(connection: number): boolean
  /** The socket by which it is followed, which may be another one once it has been closed here; -1: it is over. */
  socketOf(connection: number): number
  /** Unless a byte has arrived: ends the connection by a reset. */
  abandon(connection: number): void
  /** The peer's address as dotted text; undefined when it is not an IPv4 address, or unknown. */
  remoteIpv4(socket: number): string | undefined
  /** Connections closed unread since the start, because the process had no file descriptor left for them. */
  turnedAway(): number
  /** Drops what uWebSockets prints on standard output while `run` runs. */
  quietly(run: () => void): void
}

/** Without the helper: nothing can be done, and no peer is known to be gone. */
export const NO_SOCKETS: Sockets = {
  saveMemory() {},
  currentSocket: () => -1,
  currentHead: () => undefined,
  speakTls: false,
  newPlace: () => 0,
  leavePlace() {},
  openForTls() {},
  useCertificates() {},
  handshakesFailed: () => 0,
  failedHandshakes: () => '',
  keptEncrypted: () => 0,
  secureTerms: () => undefined,
  clientOf: () => 0,
  clientCertificate: () => undefined,
  clientCertificateFault: () => undefined,
  watchPeers() {},
  responseIsOver() {},
  discard() {},
  becomeWebSocket() {},
  pauseWebSocket() {},
  closeWebSocket: () => false,
  onUnfinishedMessage() {},
  unfinishedMessage: () => 0,
  onHalfClosed() {},
  expectBulk() {},
  stageCopy() {},
  stageRelease() {},
  bodyIsSound: () => true,
  joinChunks: () => false,
  endHead: () => false,
  endBody: () => false,
  askInBody: () => false,
  bytesDue: () => 0,
  sendDue: () => 0,
  sentAll: () => undefined,
  hasAcknowledged: () => true,
  hasRoom: () => true,
  queued: () => 0,
  sendInterim() {},
  resetAtClose() {},
  peerIsGone: () => false,
  hasVanished: () => false,
  isHere: () => true,
  follow: () => 0,
  unfollow() {},
  written: () => 0,
  acknowledged: () => 0,
  beginsAt() {},
  hasArrived: () => true,
  socketOf: () => -1,
  abandon() {},
  remoteIpv4: () => undefined,
  turnedAway: () => 0,
  quietly: (run) => run(),
}
