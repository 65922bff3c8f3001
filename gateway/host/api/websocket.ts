import type { HeaderList } from '../../http/response/answer.js'

/** A client that asks for a WebSocket. It is accepted, or answered by `reply`. */
export interface WebSocketOffer {
  /** The subprotocols that it offers. */
  readonly protocols: readonly string[]
  /**
   * Once, now or later; from then on `reply` is over. Undefined when the client has gone, or a header cannot be sent.
   * @param protocol one of `protocols`, or empty for none
   */
  accept(protocol: string, headers: HeaderList, peer: WebSocketPeer): WebSocketLink | undefined
}

/** Is told what the client of a WebSocket does. Bytes are lent for the call. */
export interface WebSocketPeer {
  /** A whole message of at most 16 MiB. The client cannot be paused. */
  onMessage(bytes: Uint8Array, isText: boolean): void
  /** It has been answered. */
  onPing(bytes: Uint8Array): void
  /** It has answered a ping. */
  onPong?(): void
  /** There is room again. */
  onDrain(): void
  /** The last call. 1005: the client gave no code. 1006: it disconnected without a close frame. */
  onClose(code: number, reason: string): void
}

/** A WebSocket that has been accepted. Once it is closed every call does nothing. */
export interface WebSocketLink {
  /** Bytes sent that are still kept in this process. At 32 MiB the connection is cut. */
  readonly kept: number
  /** False: enough for now, `onDrain` follows. */
  send(bytes: Uint8Array, isText: boolean): boolean
  ping(bytes: Uint8Array): void
  /** 1005 sends no code, 1006 cuts the connection. */
  close(code: number, reason: string): void
  cut(): void
}
