import { loadEngine } from './engine.js'
import { nativeHelper } from './helper.js'

/**
 * The most that one read brings, in bytes. It must be less than 512 KiB, or uSockets reads on without looking at anything
 * else (native/reads.c has the story). Usually a read may cause many callbacks, one for each chunk in it, and a small one is
 * fairer to others.
 */
const USUAL_READ = 64 * 1024
/** The same for a body of which each read causes one callback: larger saves system calls. Seven slabs hold it. */
const BULK_READ = 448 * 1024

/** What is done to sockets below uWebSockets. */
export interface Sockets {
  /** Small reads for everybody while memory is scarce: what one read brings has to be kept when nobody takes it. */
  saveMemory(on: boolean): void
  /** In a callback of uWebSockets that a read caused: the socket that was read. */
  currentSocket(): number
  /** The last request of this connection has been answered: no other one is taken from it. */
  spend(socket: number): void
  /** An answer with a body of so many bytes was given. Over TLS nothing else tells how many are unread. */
  countAnswer(socket: number, bytes: number): void
  /** In a callback of uWebSockets that a read caused: the socket that was read is spent, or its client goes on asking and does not read the answers. */
  currentIsSpent(): boolean
  /** While on, whatever the peer sends ends the connection. */
  mute(socket: number, on: boolean): void
  /** While on, reads may be large: each causes one callback. */
  expectBulk(socket: number, on: boolean): void
  /**
   * In the handler of a request with a chunked body, over plain TCP: its framing is followed from here on, and all chunks of
   * a read are made one.
   */
  watchChunks(socket: number): void
  /** In each `onData` of a watched socket: the framing is sound so far and, with `last`, it has ended. */
  chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean): boolean
  /**
   * When a chunked response over plain TCP has been written up to a chunk's end: from here on a chunk of any size leaves by
   * one system call, inside a cork or not. False: not now, or never.
   */
  joinChunks(socket: number): boolean
  /**
   * Of the chunk written last, on a socket whose chunks are joined: how many bytes at its end have not been sent. They are
   * to be given to `sendDue`, but for the very last one, which leaves when uWebSockets flushes after that.
   */
  bytesDue(socket: number): number
  /** Returns how many of these bytes were taken, from the front. */
  sendDue(socket: number, bytes: Uint8Array): number
  /** Nothing of what was written waits in uWebSockets' own buffer. Undefined: nobody knows. */
  sentAll(socket: number): boolean | undefined
  /** No more than `queued` bytes are on their way to the peer's machine, and the kernel takes a few hundred more for certain. */
  hasRoom(socket: number, queued: number): boolean
  /** Bytes that were sent and that the peer's machine has not acknowledged. */
  queued(socket: number): number
  /** Sends an interim response, over plain TCP and before the status line, to draw the reset of a peer that has died. */
  sendContinue(socket: number): void
  /** Whether the peer has closed its side, or reset, even if bytes of it are still unread. */
  peerIsGone(socket: number): boolean
  /** The peer's address as dotted text; undefined when it is no IPv4 address, or nobody knows. */
  remoteIpv4(socket: number): string | undefined
  /** Connections closed unread since the start, because the process had no descriptor left for them. */
  turnedAway(): number
  /** What `run` prints on standard output by itself, below Node, is lost. */
  quietly(run: () => void): void
}

/** Without the helper nothing can be done, and nobody is ever known to be gone. */
const NO_SOCKETS: Sockets = {
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

export interface SocketHelp {
  readonly sockets: Sockets
  /** Why the helper is not active; undefined when it is. */
  readonly inactive: string | undefined
}

interface NativeHelper extends Omit<Sockets, 'saveMemory'> {
  setBulkRead(bytes: number): void
  /** Caps reads and tunes accepted sockets for the named loaded object. False: it has another layout. */
  install(object: string, usualRead: number, bulkRead: number): boolean
}

/** Installs the native helper for the loaded uWebSockets. A second call does no harm. */
export function helpSockets(wanted: boolean): SocketHelp {
  if (!wanted) return inactive('it is switched off')
  if (process.platform !== 'linux') return inactive(`there is none for ${process.platform}`)
  try {
    const helper = nativeHelper() as NativeHelper
    const installed = helper.install(loadEngine().object, USUAL_READ, BULK_READ)
    const saveMemory = (on: boolean) => helper.setBulkRead(on ? USUAL_READ : BULK_READ)
    return installed
      ? { sockets: { ...helper, saveMemory }, inactive: undefined }
      : inactive('the loaded uWebSockets has another layout')
  } catch (error) {
    return inactive(error instanceof Error ? error.message.split('\n')[0]! : String(error))
  }
}

function inactive(why: string): SocketHelp {
  return { sockets: NO_SOCKETS, inactive: why }
}
