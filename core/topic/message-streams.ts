import type { SlabPool } from '../flow/slab-pool.js'
import type { TurnBudget } from '../flow/turn-budget.js'
import type { TopicEncoding, TopicMessage } from '../topic-options.js'
import { MessageStream } from './message-stream.js'
import type { TopicCursor } from './topic-cursor.js'

/** The messages of one topic, in all formats that somebody reads. */
export class MessageStreams {
  readonly #streams: MessageStream[] = []
  #sentBefore = 0

  constructor(
    readonly slabs: SlabPool,
    readonly turn: TurnBudget,
    readonly windowBytes: number,
  ) {}

  /** Bytes that all subscribers together have taken. */
  get sent(): number {
    return this.#streams.reduce((sum, { sent }) => sum + sent, this.#sentBefore)
  }

  /** The stream that who asks for this reads. */
  of(encoding: TopicEncoding): MessageStream {
    const found = this.#streams.find(({ name }) => name === encoding.name)
    if (found !== undefined) return found
    const stream = new MessageStream(encoding.name, encoding.newFormat(), this.slabs, this.turn)
    this.#streams.push(stream)
    return stream
  }

  /** Nobody is a window behind. Who has everything may be given a message of any length. */
  get hasRoom(): boolean {
    for (const { behind } of this.#streams) if (behind > 0 && behind >= this.#window) return false
    return true
  }

  /** A window, or less while memory is scarce. */
  get #window(): number {
    return this.slabs.share(this.windowBytes)
  }

  /**
   * Everybody gets the message; or nobody does, there is no memory for it, and this returns false.
   * @param id of the message
   */
  deliver(message: TopicMessage, id: number): boolean {
    let bytes = 0
    for (const stream of this.#streams) {
      stream.next = stream.format.encode(message, id)
      // It begins and ends within a slab.
      bytes += stream.next.byteLength + 2 * this.slabs.slabBytes
    }
    if (!this.slabs.hold(bytes)) return false
    this.slabs.give(bytes)
    for (const stream of this.#streams) stream.feed(stream.next)
    return true
  }

  /** Tells those who can hear it that nothing has been said, but for those who do not read. */
  tellSilence(): void {
    if (this.slabs.isScarce) return
    for (const stream of this.#streams) {
      const { silence } = stream.format
      if (silence !== undefined && stream.behind === 0) stream.feed(silence)
    }
  }

  /** Those who are a window behind, although they have been served: `MessageStream.behindBy` says what `isLater` is. */
  tooFarBehind(isLater: boolean): TopicCursor[] {
    return this.#streams.flatMap((stream) => stream.behindBy(this.#window, isLater))
  }

  stalled(now: number, stallMs: number): TopicCursor[] {
    return this.#streams.flatMap((stream) => stream.stalled(now, stallMs))
  }

  /** Somebody reads this stream no more, and it ends with the last. */
  leave(stream: MessageStream, cursor: TopicCursor): void {
    stream.leave(cursor)
    if (!stream.isEmpty) return
    this.#sentBefore += stream.sent
    stream.discard()
    this.#streams.splice(this.#streams.indexOf(stream), 1)
  }

  /** No message follows: who has everything is told to finish. */
  close(): void {
    for (const stream of this.#streams) stream.close()
  }

  /** Frees what is kept. */
  discard(): void {
    for (const stream of this.#streams) stream.discard()
  }
}
