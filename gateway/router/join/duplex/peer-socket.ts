import type {
  BorrowedBytes,
  DuplexPeer,
  EndReason,
  PipeView,
  Refusal,
  SenderEvent,
  Sink,
  Source,
} from '../../../../core/index.js'
import type { WebSocketPeer } from '../../../host/plugin-api.js'
import { endingOf } from '../../../http/response/endings.js'
import { MessageReader, MessageWriter, type SocketClose } from '../../../stream/peer-messages.js'
import type { PeerLink, SocketTerms } from '../../exchange.js'
import { HeldMessages } from './held-messages.js'

/** What holds for the WebSockets of peers. What the kernel does not take is kept, and while it is, nothing more is sent: a piece at most. */
export const PEER_TERMS: SocketTerms = { mostBytes: 1024 * 1024, enoughBytes: 0, memoryMs: 60_000 }
const PIECE_BYTES = 64 * 1024

/** RFC 6455, section 7.4.1. */
const NORMAL = 1000
const NO_CODE = 1005
const ABNORMAL = 1006
const INTERNAL = 1011
const RESTART = 1012
const TRY_AGAIN = 1013
const TOO_BIG = 1009
const NO_PEER = 4408
/** RFC 6455 has 123 bytes for it. */
const MOST_REASON = 120

/** Both are closed with it. */
const OWN_CODES: Partial<Record<EndReason, SocketClose>> = {
  no_sender: { code: NO_PEER, reason: 'Timed out waiting for peer.' },
  no_receivers: { code: NO_PEER, reason: 'Timed out waiting for peer.' },
  overflow: { code: TRY_AGAIN, reason: 'A peer does not read, and there is no memory left.' },
  too_large: { code: TOO_BIG, reason: 'A peer has sent more than it may.' },
  too_many_active: { code: TRY_AGAIN, reason: 'Server at maximum active transfer capacity.' },
}

/** A WebSocket as a peer of a duplex pipe: what it sends is a source, and what it gets a sink. */
export class PeerSocket implements Source, Sink, WebSocketPeer {
  isFull = false
  #link: PeerLink | undefined
  #peer: DuplexPeer | undefined
  #begun = false
  #isPaired = false
  /** The other peer is a WebSocket too: messages keep their bounds. */
  #inMessages = false
  #isPaused = true
  /** What it sends interests nobody any more. */
  #drops = false
  #isOver = false
  #isFinishing = false
  /** What it was closed with, which may be before it has a connection. */
  #ended: SocketClose | undefined
  /** What came while the other peer did not take it. */
  readonly #held: HeldMessages
  readonly #writer = new MessageWriter()
  readonly #reader = new MessageReader()
  readonly #feed = (bytes: BorrowedBytes) => this.#peer!.sender.feed(bytes)
  readonly #send = (piece: BorrowedBytes, isText: boolean, isFirst: boolean, isLast: boolean) => {
    this.#link!.sendPiece(piece, isText, isFirst, isLast)
    return this.#link!.kept <= PEER_TERMS.enoughBytes
  }

  /** @param whenTurnComes runs something in a later turn of the event loop */
  constructor(
    memory: ConstructorParameters<typeof HeldMessages>[0],
    readonly whenTurnComes: (run: () => void) => void,
    /** By which it is told that the other peer has vanished. */
    readonly goneCode: number,
  ) {
    this.#held = new HeldMessages(memory)
  }

  /** Its places in both directions, and its connection. */
  joined(peer: DuplexPeer, link: PeerLink): void {
    this.#peer = peer
    this.#link = link
    if (this.#ended !== undefined) {
      link.close(this.#ended.code, this.#ended.reason)
      return
    }
    this.#hold()
    // What came for it before the connection was a WebSocket waits for this. Not in the handler, where it would go to a cork.
    this.whenTurnComes(() => this.#drained())
  }

  /** Its client has gone before it had a connection. */
  neverOpened(peer: DuplexPeer): void {
    this.#isOver = true
    this.#vanished(peer)
  }

  // --- as a source

  pause(): void {
    this.#isPaused = true
    this.#hold()
  }

  #hold(): void {
    const isEnough = this.#isPaired || this.#held.isEnough
    this.#link?.hold(this.#isPaused && isEnough && !this.#drops)
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#held.isEmpty) this.whenTurnComes(() => this.#feedHeld())
    else this.#hold()
  }

  notify(event: SenderEvent, pipe: PipeView): void {
    if (event !== 'streaming') return
    this.#isPaired = true
    this.#inMessages = pipe.inMessages === true
  }

  /** Its frames are read on: its answer to the close frame is one of them. */
  end(): void {
    this.#drops = true
    this.#held.clear()
    this.#hold()
  }

  // --- as a sink

  begin(): void {
    this.#begun = true
  }

  write(bytes: BorrowedBytes): number {
    const link = this.#link
    if (link === undefined || this.#isOver || link.kept > PEER_TERMS.enoughBytes) {
      this.isFull = true
      return 0
    }
    const took = this.#inMessages ? this.#reader.read(bytes, this.#send, PIECE_BYTES) : this.#sendBytes(bytes)
    this.isFull = took < bytes.length || link.kept > PEER_TERMS.enoughBytes
    return took
  }

  /** What no message bounds is sent as messages of the size in which it comes. */
  #sendBytes(bytes: BorrowedBytes): number {
    let at = 0
    do {
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      at += piece.length
      if (!this.#send(piece, false, true, true)) break
    } while (at < bytes.length)
    return at
  }

  postpone(): void {
    this.whenTurnComes(() => this.#drained())
  }

  queued(): number {
    return this.#link?.queued ?? 0
  }

  isHere(): boolean {
    return !this.#isOver
  }

  hasArrived(): boolean {
    return true
  }

  /** A WebSocket closes both directions at once; but what it says until it has answered the close frame is heard. */
  finish(): boolean {
    if (this.#isOver) return true
    this.#isFinishing = true
    const { closed } = this.#reader
    if (closed !== undefined) {
      this.#link?.closeBehind(closed.code, closed.reason, () => {
        this.#over()
        this.#peer!.receiver.finished()
        this.#peer!.close()
      })
      return false
    }
    this.#link?.closeAndListen((listens) => {
      if (!listens) this.#over()
      this.#peer!.receiver.finished()
      // It may have had more to say.
      if (!listens) this.#peer!.sender.left()
    })
    return false
  }

  refuse({ text }: Refusal): void {
    this.#close({ code: TRY_AGAIN, reason: text })
  }

  abort(reason: EndReason, pipe: PipeView): void {
    const isGone = reason === 'sender_left' || reason === 'receivers_left'
    if (isGone) this.#close({ code: this.goneCode, reason: 'Peer disconnected.' })
    else if (reason === 'shutting_down' && !this.#begun) this.#close({ code: RESTART, reason: 'Server shutting down.' })
    else if (OWN_CODES[reason] === undefined) this.#close({ code: INTERNAL, reason: endingOf(reason, pipe).line })
    else this.#close(OWN_CODES[reason])
  }

  // --- its client

  onMessage(bytes: Uint8Array, isText: boolean): void {
    if (this.#drops) return
    if (this.#isPaused || !this.#held.isEmpty) this.#keep(bytes, isText)
    else this.#pass(bytes, isText)
  }

  #pass(bytes: BorrowedBytes, isText: boolean): void {
    if (this.#inMessages) this.#writer.message(bytes, isText, this.#feed)
    else if (bytes.length > 0) this.#feed(bytes)
  }

  #keep(bytes: Uint8Array, isText: boolean): void {
    if (this.#held.add(bytes, isText)) this.#hold()
    else this.#leave({ code: TRY_AGAIN, reason: 'The other peer has not taken what came before.' })
  }

  #feedHeld(): void {
    while (!this.#isPaused && !this.#drops && !this.#held.isEmpty) this.#passHeld()
    this.#hold()
  }

  #passHeld(): void {
    const { bytes, isText } = this.#held.take()!
    this.#pass(bytes, isText)
  }

  onPing(): void {}

  onDrain(): void {
    this.#drained()
  }

  #drained(): void {
    if (this.#isOver || this.#isFinishing) return
    this.isFull = false
    this.#peer!.receiver.drained()
  }

  onClose(code: number, reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    const peer = this.#peer!
    if (code === ABNORMAL) this.#vanished(peer)
    else this.#closed(peer, { code: code === NO_CODE ? NORMAL : code, reason })
    this.#over()
  }

  #vanished({ sender, receiver }: DuplexPeer): void {
    sender.left()
    receiver.left()
  }

  /** Whoever hears bytes only knows no codes: for them anything but an end in order is none. */
  #closed(peer: DuplexPeer, close: SocketClose): void {
    while (!this.#held.isEmpty) this.#passHeld()
    if (this.#inMessages) this.#writer.close(close, this.#feed)
    else if (close.code !== NORMAL) {
      this.#vanished(peer)
      return
    }
    peer.close()
  }

  /** Its own doing. */
  #leave(close: SocketClose): void {
    this.#drops = true
    this.#link?.close(close.code, close.reason)
  }

  #close({ code, reason }: SocketClose): void {
    if (this.#isOver) return
    this.#over()
    this.#ended = { code, reason: shortened(reason) }
    this.#link?.close(code, this.#ended.reason)
  }

  #over(): void {
    this.#isOver = true
    this.#drops = true
    this.#held.clear()
  }
}

/** As many bytes as a close frame has for it, and no part of a character. */
function shortened(reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.length <= MOST_REASON) return reason
  return bytes
    .subarray(0, MOST_REASON)
    .toString()
    .replace(/\ufffd+$/, '')
}
