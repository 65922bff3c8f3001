import type { WebSocket } from 'ws'

/** Of `ws`, whose version is fixed: what it has of a frame, and of a message before that frame. */
interface Receiver {
  readonly _bufferedBytes: number
  readonly _messageLength: number
}

/** Bytes that a WebSocket has received of a message that has not come whole. `ws` tells nobody, so this looks inside. */
export function unfinishedBytes(socket: WebSocket): number {
  const { _receiver: receiver } = socket as unknown as { readonly _receiver?: Receiver }
  return receiver === undefined ? 0 : receiver._bufferedBytes + receiver._messageLength
}
