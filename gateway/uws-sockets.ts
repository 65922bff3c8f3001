import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * The most that one read brings, in bytes. It must be less than 512 KiB, or uSockets reads on without looking at anything
 * else (native/sockets.c has the story). Smaller is fairer and holds less, larger saves system calls: of 512, 256, 128 and
 * 64 KiB this is the smallest that costs nothing a transfer can feel.
 */
const READ_BYTES = 128 * 1024

/** The most that the kernel queues for a receiver beyond what it can send at once, in bytes. */
const NOTSENT_BYTES = 128 * 1024

/** What is done to sockets below uWebSockets. */
export interface Sockets {
  /** In a callback of uWebSockets that a read caused: the socket that was read. */
  currentSocket(): number
  /** While on, whatever the peer sends ends the connection. */
  mute(socket: number, on: boolean): void
  /** In the handler of a request with a chunked body, over plain TCP: its framing is followed from here on. */
  watchChunks(socket: number): void
  /** In each `onData` of a watched socket: the framing is sound so far and, with `last`, it has ended. */
  chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean): boolean
  /** Sends an interim response, over plain TCP and before the status line, to draw the reset of a peer that has died. */
  sendContinue(socket: number): void
  /** Whether the peer has closed its side, or reset, even if bytes of it are still unread. */
  peerIsGone(socket: number): boolean
}

/** Without the helper nothing can be done, and nobody is ever known to be gone. */
const NO_SOCKETS: Sockets = {
  currentSocket: () => -1,
  mute() {},
  watchChunks() {},
  chunksAreSound: () => true,
  sendContinue() {},
  peerIsGone: () => false,
}

export interface SocketHelp {
  readonly sockets: Sockets
  /** Why the helper is not active; undefined when it is. */
  readonly inactive: string | undefined
}

interface NativeHelper extends Sockets {
  /** Caps reads and tunes accepted sockets for the named loaded object. False: it has another layout. */
  install(object: string, readBytes: number, notSentBytes: number): boolean
}

/** Installs the native helper for the loaded uWebSockets. A second call does no harm. */
export function helpSockets(wanted: boolean): SocketHelp {
  const { platform, arch, versions } = process
  if (!wanted) return inactive('it is switched off')
  if (platform !== 'linux') return inactive(`there is none for ${platform}`)
  try {
    const helper = load(`sockets-${platform}-${arch}.node`)
    const installed = helper.install(`uws_${platform}_${arch}_${versions.modules}.node`, READ_BYTES, NOTSENT_BYTES)
    return installed ? { sockets: helper, inactive: undefined } : inactive('the loaded uWebSockets has another layout')
  } catch (error) {
    return inactive(error instanceof Error ? error.message.split('\n')[0]! : String(error))
  }
}

function inactive(why: string): SocketHelp {
  return { sockets: NO_SOCKETS, inactive: why }
}

function load(file: string): NativeHelper {
  const path = new URL(`../../gateway/native/prebuilt/${file}`, import.meta.url)
  return createRequire(import.meta.url)(fileURLToPath(path)) as NativeHelper
}
