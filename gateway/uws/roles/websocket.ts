import type { WebSocket, WebSocketBehavior } from 'uWebSockets.js'
import { type Deadline, HeldBytes } from '../../../core/index.js'
import { attempt } from '../../host/error-boundary.js'
import type { WebSocketPeer } from '../../host/plugin-api.js'
import type { PeerLink, SocketTerms } from '../../router/exchange.js'
import { Backoff } from '../body/backoff.js'
import type { HttpExchange } from '../connection/http-exchange.js'
import type { MessagePieces } from '../module.js'

/** What uWebSockets passes to each of its callbacks. */
export interface WebSocketData {
  readonly link: UwsWebSocket
}

/** The longest message. uWebSockets hands out whole messages only, and cannot pause a client that sends them. */
const MOST_BYTES = 16 * 1024 * 1024
/** The most that is kept for a client that does not read. Beyond that it is cut off. */
const MOST_KEPT = 2 * MOST_BYTES
/** What holds for those that plugins accept. */
export const PLUGIN_TERMS: SocketTerms = { mostBytes: MOST_BYTES, enoughBytes: 1024 * 1024, memoryMs: 0 }
/** A client of which nothing is heard for so long gets a ping, and is cut off when it has answered neither of two. */
const BEAT_MS = 40_000
/** Beats without a word: the first one comes without a ping. */
const MOST_UNANSWERED = 3
/** How often one that waits for memory looks for it. */
const MEMORY_MS = 100
/** The most that may still be on its way to a client's machine when its WebSocket is closed. */
const MOST_IN_FLIGHT = 256 * 1024

/** Closed without a close frame: RFC 6455, section 7.1.5. */
const ABNORMAL_CLOSURE = 1006
const TOO_BIG = 1009
const TRY_AGAIN = 1013
/** What uWebSockets says, with 1006, when it has cut a client whose message is too long: over TLS, where the helper cannot see it. */
const SAYS_TOO_BIG = 'Received too big message'

/**
 * Of those that wait for memory, the one whose message may grow into the last quarter of it, and since when: otherwise all the memory
 * might be used by messages that are not complete, each of which waits for the others.
 */
const first: { socket: UwsWebSocket | undefined; since: number } = { socket: undefined, since: 0 }
const FIRST_MS = 1000

/** By their sockets: those that are open. */
const LINKS: (UwsWebSocket | undefined)[] = []

/** The helper has seen a message grow, end, or be too long. */
export function unfinishedMessageChanged(socket: number): void {
  LINKS[socket]?.unfinishedChanged()
}

export const WEBSOCKET_BEHAVIOR: WebSocketBehavior<WebSocketData> = {
  compression: 0,
  maxPayloadLength: MOST_BYTES,
  maxBackpressure: MOST_KEPT,
  closeOnBackpressureLimit: true,
  // One that is held would be taken for dead: it cannot be heard.
  idleTimeout: 0,
  sendPingsAutomatically: false,
  open: (ws) => ws.getUserData().link.opened(ws),
  message: (ws, message, isBinary) => ws.getUserData().link.received(message, !isBinary),
  drain: (ws) => ws.getUserData().link.drained(),
  ping: (ws, message) => ws.getUserData().link.pinged(message),
  pong: (ws) => ws.getUserData().link.ponged(),
  close: (ws, code, message) => ws.getUserData().link.closed(code, Buffer.from(message).toString()),
}

/** A WebSocket that a plugin has accepted. */
export class UwsWebSocket implements PeerLink {
  #ws: (WebSocket<WebSocketData> & MessagePieces) | undefined
  #full = false
  /** Its client is not read: because the peer wants that, or because there is no memory for the rest of its message. */
  #isHeld = false
  #wantsHold = false
  #awaitsMemory = false
  /** Of one that waits for memory. */
  #nextLook: Deadline | undefined
  readonly #isStream: boolean
  #heartbeat: Deadline | undefined
  /** Beats since it was heard last. */
  #unanswered = 0
  readonly #backoff = new Backoff()
  readonly #held: HeldBytes
  /** Of a message that is not complete: uWebSockets keeps it. */
  readonly #unfinished: HeldBytes

  /** @param failed hears of what the plugin does wrong */
  constructor(
    readonly exchange: HttpExchange,
    readonly peer: WebSocketPeer,
    readonly failed: (error: unknown) => void,
    readonly terms: SocketTerms,
  ) {
    const { memory } = exchange.context
    // What has been taken from a stream for it is no more than a piece, and was held there before.
    this.#isStream = terms.memoryMs > 0
    const give = (bytes: number) => memory.give(bytes)
    this.#held = new HeldBytes(this.#isStream ? { hold: (bytes) => memory.take(bytes), give } : memory)
    const hold = (bytes: number) => memory.hold(bytes) || (this.#isStream && this.#isFirst() && memory.take(bytes))
    this.#unfinished = new HeldBytes({ hold, give })
  }

  get kept(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }

  get queued(): number {
    return this.kept + this.exchange.context.sockets.queued(this.exchange.socket)
  }

  send(bytes: Uint8Array, isText: boolean): boolean {
    if (this.#ws === undefined) return false
    this.#ws.send(bytes, !isText)
    return this.#sent(bytes)
  }

  sendPiece(bytes: Uint8Array, isText: boolean, isFirst: boolean, isLast: boolean): void {
    const ws = this.#ws
    if (ws === undefined) return
    if (isFirst && isLast) ws.send(bytes, !isText)
    else if (isFirst) ws.sendFirstFragment(bytes, !isText)
    else if (isLast) ws.sendLastFragment(bytes)
    else ws.sendFragment(bytes)
    this.#sent(bytes)
  }

  /** Returns whether there is room for more. */
  #sent(bytes: Uint8Array): boolean {
    this.exchange.bytesOut += bytes.length
    this.#full = this.kept > this.terms.enoughBytes
    if (this.#count()) return !this.#full
    this.cut()
    return false
  }

  hold(on: boolean): void {
    this.#wantsHold = on
    this.#settleHold()
  }

  #settleHold(): void {
    const on = this.#wantsHold || this.#awaitsMemory
    if (this.#ws === undefined || on === this.#isHeld) return
    this.#isHeld = on
    this.exchange.context.sockets.pauseWebSocket(this.exchange.socket, on)
  }

  #beat(): void {
    this.#heartbeat = this.exchange.context.clock.after(BEAT_MS, () => {
      // A ping would stand behind what it does not read. Whether its machine is there is known to the kernel.
      const isBehind = this.queued > 0
      if (this.#unanswered === MOST_UNANSWERED && !isBehind) {
        this.cut()
        return
      }
      if (!isBehind && (this.#unanswered > 0 || this.#isHeld)) this.#ws!.ping()
      // Nothing can be heard of one that is held either.
      this.#unanswered = this.#isHeld || isBehind ? 0 : this.#unanswered + 1
      this.#beat()
    })
  }

  closeBehind(code: number, reason: string, arrived: () => void): void {
    this.#onceArrived(() => {
      this.#notify(arrived)
      this.close(code, reason)
    })
  }

  /** Not in a callback: what is sent there may still be in uWebSockets' cork, and the close frame would overtake it. */
  closeAndListen(arrived: (listens: boolean) => void): void {
    setImmediate(() => this.#onceArrived(() => this.#closeAndListen(arrived)))
  }

  #closeAndListen(arrived: (listens: boolean) => void): void {
    const { context, socket } = this.exchange
    const listens = context.sockets.closeWebSocket(socket)
    this.#notify(() => arrived(listens))
    if (!listens) this.close(1000, '')
  }

  #onceArrived(run: () => void): void {
    const { context, socket } = this.exchange
    if (this.#ws === undefined) return
    const hasRoom = this.kept === 0 && context.sockets.hasRoom(socket, MOST_IN_FLIGHT)
    if (hasRoom) run()
    else this.#backoff.retry(() => this.#onceArrived(run))
  }

  /** Counts what is kept now. Returns false when there is no memory for it: nobody else must have to fail for this client. */
  #count(): boolean {
    return this.#held.set(this.kept)
  }

  ping(bytes: Uint8Array): void {
    this.#ws?.ping(bytes)
  }

  close(code: number, reason: string): void {
    if (code === ABNORMAL_CLOSURE) this.cut()
    else this.#ws?.end(code, reason)
  }

  cut(): void {
    this.#ws?.close()
  }

  opened(ws: WebSocket<WebSocketData>): void {
    this.#ws = ws as typeof ws & MessagePieces
    this.#beat()
    LINKS[this.exchange.socket] = this
  }

  received(message: ArrayBuffer, isText: boolean): void {
    this.#unanswered = 0
    this.exchange.bytesIn += message.byteLength
    this.#notify(() => this.peer.onMessage(new Uint8Array(message), isText))
  }

  /** What follows is dropped by the helper, so that the client can read why it is closed. */
  unfinishedChanged(): void {
    this.#unanswered = 0
    const { socket, context } = this.exchange
    const bytes = context.sockets.unfinishedMessage(socket)
    if (bytes < 0) this.close(TOO_BIG, `a message has more than ${this.terms.mostBytes} bytes`)
    else this.#countUnfinished(bytes, this.terms.memoryMs)
  }

  /** Whether it is the one that may use the last quarter of the memory. One that does not go on loses that. */
  #isFirst(): boolean {
    const now = this.exchange.context.clock.now()
    if (first.socket !== this && first.socket !== undefined && now - first.since < FIRST_MS) return false
    first.socket = this
    first.since = now
    return true
  }

  /** The memory that is used up may be free in a moment, if the client can be held for so long. */
  #countUnfinished(bytes: number, forMs: number): void {
    this.#nextLook?.cancel()
    if (bytes === 0) this.#leaveFirst()
    const isCounted = this.#unfinished.set(bytes)
    this.#awaitsMemory = !isCounted && forMs > 0
    this.#settleHold()
    if (isCounted || this.#ws === undefined) return
    if (this.#awaitsMemory) {
      const look = () => this.#countUnfinished(bytes, forMs - MEMORY_MS)
      this.#nextLook = this.exchange.context.clock.after(MEMORY_MS, look)
    } else this.close(TRY_AGAIN, 'the gateway has no memory left')
  }

  #leaveFirst(): void {
    if (first.socket === this) first.socket = undefined
  }

  /** The peer sends on when this has returned: in here it goes to uWebSockets' cork, and what the kernel takes of it is known only afterwards. */
  drained(): void {
    this.#count()
    if (!this.#full || this.kept > this.terms.enoughBytes) return
    this.#full = false
    setImmediate(() => {
      if (this.#ws !== undefined) this.#notify(() => this.peer.onDrain())
    })
  }

  /** uWebSockets has answered, and keeps the answer of who does not read. */
  pinged(message: ArrayBuffer): void {
    this.#unanswered = 0
    if (!this.#count()) this.cut()
    this.#notify(() => this.peer.onPing(new Uint8Array(message)))
  }

  ponged(): void {
    this.#unanswered = 0
    this.#notify(() => this.peer.onPong?.())
  }

  closed(code: number, reason: string): void {
    const { socket } = this.exchange
    this.#ws = undefined
    this.#heartbeat?.cancel()
    this.#nextLook?.cancel()
    this.#leaveFirst()
    this.#count()
    this.#unfinished.set(0)
    if (LINKS[socket] === this) LINKS[socket] = undefined
    const isTooBig = code === ABNORMAL_CLOSURE && reason === SAYS_TOO_BIG
    this.#notify(() =>
      isTooBig ? this.peer.onClose(TOO_BIG, 'a message is too big') : this.peer.onClose(code, reason),
    )
    this.exchange.closed(code === ABNORMAL_CLOSURE ? 'aborted' : 'complete')
  }

  #notify(run: () => void): void {
    attempt(run, (error) => {
      this.failed(error)
      this.cut()
    })
  }
}
