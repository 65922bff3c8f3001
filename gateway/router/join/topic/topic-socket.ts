import {
  type BorrowedBytes,
  type EndReason,
  type PipeView,
  type Publication,
  type Publisher,
  Refusal,
  type Sink,
  type SinkListener,
  type Topics,
} from '../../../../core/index.js'
import type { WebSocketLink, WebSocketPeer } from '../../../host/plugin-api.js'
import { SocketFrameReader } from '../../../stream/topic/socket-frames.js'
import { MOST_BYTES } from './publishing.js'

/** RFC 6455, section 7.4.1. */
const POLICY = 1008
const TOO_BIG = 1009
const INTERNAL = 1011
const RESTART = 1012
const TRY_AGAIN = 1013

/** What of its own messages may wait, which come on: its client cannot be paused. */
const MOST_WAITING = 4096
const MOST_WAITING_BYTES = 2 * 1024 * 1024

/** What a WebSocket on a topic is, and may. */
export interface TopicSocketOptions {
  readonly topics: Topics
  readonly key: string
  readonly mayPublish: boolean
  /** How long a message may wait, in milliseconds. */
  readonly waitMs: number
  readonly newTransferId: () => string
  readonly whenTurnComes: (run: () => void) => void
}

/** A WebSocket on a topic: it gets every message, its own too, and what it sends is published. */
export class TopicSocket implements Sink, WebSocketPeer {
  isFull = false
  #link: WebSocketLink | undefined
  #listener: SinkListener | undefined
  readonly #reader = new SocketFrameReader()
  /** Its messages that wait, and how many bytes they have. */
  readonly #waiting = new Map<Publication, number>()
  #waitingBytes = 0
  #isOver = false
  readonly #send = (bytes: Uint8Array, isText: boolean) => this.#link!.send(bytes, isText)

  constructor(readonly options: TopicSocketOptions) {}

  /** Its place in the topic, and its connection. */
  joined(listener: SinkListener, link: WebSocketLink): void {
    this.#listener = listener
    this.#link = link
    // What was published before the connection was a WebSocket waits for this.
    this.isFull = false
    listener.drained()
  }

  begin(): void {}

  write(bytes: BorrowedBytes): number {
    if (this.#link === undefined || this.#isOver) {
      this.isFull = true
      return 0
    }
    const took = this.#reader.read(bytes, this.#send)
    this.isFull = took < bytes.length || this.#link.kept > MOST_BYTES
    return took
  }

  /** Only the turns of crowds begin another budget: whoever asked again without them would be postponed for ever. */
  postpone(): void {
    this.options.whenTurnComes(() => this.#drained())
  }

  queued(): number {
    return this.#link?.kept ?? 0
  }

  isHere(): boolean {
    return !this.#isOver
  }

  /** Nobody gives a topic's bytes back. */
  hasArrived(): boolean {
    return true
  }

  finish(): boolean {
    this.#close(RESTART, 'Server shutting down.')
    return true
  }

  refuse({ text }: Refusal): void {
    this.#close(TRY_AGAIN, text)
  }

  /** It must not look like an end in order. */
  abort(reason: EndReason): void {
    if (reason === 'fault') this.#close(INTERNAL, 'Internal error.')
    else if (!this.#isOver) {
      this.#over()
      this.#link?.cut()
    }
  }

  onMessage(bytes: Uint8Array, isText: boolean): void {
    if (this.#isOver) return
    const { topics, key, mayPublish, waitMs, newTransferId } = this.options
    if (!mayPublish) {
      this.#leave(POLICY, 'These credentials may not publish.')
      return
    }
    if (bytes.length > MOST_BYTES) {
      this.#leave(TOO_BIG, `A message may have ${MOST_BYTES} bytes.`)
      return
    }
    const message = { bytes, type: isText ? 'text/plain; charset=utf-8' : '' }
    const publisher = new SocketPublisher((problem) => this.#settled(publisher, problem))
    const outcome = topics.publish(key, message, { min: 0, waitMs, newTransferId }, publisher)
    if (outcome instanceof Refusal) this.#leave(TRY_AGAIN, outcome.text)
    else if (typeof outcome !== 'number') this.#waits(publisher, outcome, bytes.length)
  }

  onPing(): void {}

  onDrain(): void {
    this.#drained()
  }

  onClose(): void {
    this.#listener?.left()
    this.#over()
  }

  #drained(): void {
    if (this.#isOver) return
    this.isFull = false
    this.#listener?.drained()
  }

  #waits(publisher: SocketPublisher, publication: Publication, bytes: number): void {
    publisher.publication = publication
    this.#waiting.set(publication, bytes)
    this.#waitingBytes += bytes
    if (this.#waiting.size <= MOST_WAITING && this.#waitingBytes <= MOST_WAITING_BYTES) return
    this.#leave(TRY_AGAIN, 'Subscribers have not taken what came before.')
  }

  #settled({ publication }: SocketPublisher, problem: string | undefined): void {
    if (publication === undefined) return
    this.#waitingBytes -= this.#waiting.get(publication) ?? 0
    this.#waiting.delete(publication)
    if (problem !== undefined) this.#leave(TRY_AGAIN, problem)
  }

  /** Its own doing. */
  #leave(code: number, reason: string): void {
    this.#listener?.left()
    this.#close(code, reason)
  }

  #close(code: number, reason: string): void {
    if (this.#isOver) return
    this.#over()
    // RFC 6455 has 123 bytes for it.
    this.#link?.close(code, reason.slice(0, 120))
  }

  #over(): void {
    this.#isOver = true
    for (const publication of this.#waiting.keys()) publication.withdraw()
    this.#waiting.clear()
    this.#waitingBytes = 0
  }
}

/** One message of a WebSocket that waits. */
class SocketPublisher implements Publisher {
  publication: Publication | undefined

  /** @param settled is called with what went wrong, if anything did */
  constructor(readonly settled: (problem: string | undefined) => void) {}

  delivered(): void {
    this.settled(undefined)
  }

  refused({ text }: Refusal): void {
    this.settled(text)
  }

  failed(_reason: EndReason, _topic: PipeView): void {
    this.settled('The topic is over.')
  }
}
