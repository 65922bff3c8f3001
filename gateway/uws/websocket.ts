import type { WebSocket, WebSocketBehavior } from 'uWebSockets.js'
import { attempt } from '../host/error-boundary.js'
import type { WebSocketLink, WebSocketPeer } from '../host/plugin-api.js'
import type { UwsExchange } from './exchange.js'

/** What uWebSockets hands back in each of its callbacks. */
export interface Carried {
  readonly link: UwsWebSocket
}

/** No message is longer: uWebSockets hands out whole ones only, and stops no client that sends them. */
const MOST_BYTES = 16 * 1024 * 1024
/** Kept for a client that does not read; beyond that it is cut off. */
const MOST_KEPT = 2 * MOST_BYTES
/** Whoever sends is told that it is enough. */
const ENOUGH = 1024 * 1024
/** A client that is silent for so many seconds is asked whether it is there, and cut off when it is not. */
const IDLE_S = 120

/** Nobody said why, and it may not have been on purpose: RFC 6455, section 7.1.5. */
export const ABNORMAL = 1006

export const WEBSOCKETS: WebSocketBehavior<Carried> = {
  compression: 0,
  maxPayloadLength: MOST_BYTES,
  maxBackpressure: MOST_KEPT,
  closeOnBackpressureLimit: true,
  idleTimeout: IDLE_S,
  sendPingsAutomatically: true,
  open: (ws) => ws.getUserData().link.opened(ws),
  message: (ws, message, isBinary) => ws.getUserData().link.said(message, !isBinary),
  drain: (ws) => ws.getUserData().link.drained(),
  ping: (ws, message) => ws.getUserData().link.pinged(message),
  close: (ws, code, message) => ws.getUserData().link.closed(code, Buffer.from(message).toString()),
}

/** A WebSocket that a plugin has accepted. */
export class UwsWebSocket implements WebSocketLink {
  #ws: WebSocket<Carried> | undefined
  #full = false

  /** @param failed hears of what the plugin does wrong */
  constructor(
    readonly exchange: UwsExchange,
    readonly peer: WebSocketPeer,
    readonly failed: (error: unknown) => void,
  ) {}

  get kept(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }

  send(bytes: Uint8Array, isText: boolean): boolean {
    if (this.#ws === undefined) return false
    this.exchange.bytesOut += bytes.length
    this.#ws.send(bytes, !isText)
    this.#full = this.kept > ENOUGH
    return !this.#full
  }

  ping(bytes: Uint8Array): void {
    this.#ws?.ping(bytes)
  }

  close(code: number, reason: string): void {
    if (code === ABNORMAL) this.cut()
    else this.#ws?.end(code, reason)
  }

  cut(): void {
    this.#ws?.close()
  }

  opened(ws: WebSocket<Carried>): void {
    this.#ws = ws
  }

  said(message: ArrayBuffer, isText: boolean): void {
    this.exchange.bytesIn += message.byteLength
    this.#tell(() => this.peer.onMessage(new Uint8Array(message), isText))
  }

  drained(): void {
    if (!this.#full || this.kept > ENOUGH) return
    this.#full = false
    this.#tell(() => this.peer.onDrain())
  }

  pinged(message: ArrayBuffer): void {
    this.#tell(() => this.peer.onPing(new Uint8Array(message)))
  }

  closed(code: number, reason: string): void {
    this.#ws = undefined
    this.#tell(() => this.peer.onClose(code, reason))
    this.exchange.closed(code === ABNORMAL ? 'aborted' : 'complete')
  }

  #tell(run: () => void): void {
    attempt(run, (error) => {
      this.failed(error)
      this.cut()
    })
  }
}
