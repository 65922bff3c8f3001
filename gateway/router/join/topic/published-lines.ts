import { HeldBytes, Refusal } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import { textAnswer } from '../../../http/response/answer.js'
import { UploadLines } from '../../../stream/topic/upload-lines.js'
import { LineTurns } from '../line-turns.js'
import { MOST_BYTES, Publishing, type PublishRequest } from './publishing.js'
import type { PublisherParameters } from './topic-parameters.js'

/** So many lines are published before all others have a turn: one read has half a million empty ones, and takes seconds. */
const MOST_IN_A_TURN = 512

/**
 * Each line of the body is a message, for as long as the upload goes on. While one of them waits the upload is not read, nor between
 * its turns. It is answered at its end, or when a line cannot be published.
 */
export class PublishedLines extends Publishing {
  readonly #lines = new UploadLines()
  readonly #held: HeldBytes
  /** Once it is there, it waits. */
  readonly #options: PublisherParameters
  #leave: () => void = () => {}
  #isRead = false
  readonly #turns = new LineTurns(MOST_IN_A_TURN, () => this.#goOnOrFault())
  #messages = 0
  /** How many have got the last one. */
  #subscribers = 0
  readonly #take = (line: Uint8Array) => this.#publish(line)

  constructor(request: PublishRequest) {
    super(request)
    this.#options = { ...request.parameters, onlyIfAwaited: false }
    this.#held = new HeldBytes(request.memory)
  }

  /** Takes a place on the name. Returns why it cannot. */
  start(): Refusal | undefined {
    const { topics, key, parameters, reply } = this.request
    const stays = topics.stay(key, parameters, this)
    if (stays instanceof Refusal) return stays
    this.#leave = stays
    reply.body.read(
      (bytes) => this.#feed(bytes),
      () => this.#end(),
    )
    return undefined
  }

  delivered(subscribers: number): void {
    this.publication = undefined
    this.#count(subscribers)
    this.#goOn()
  }

  #goOn(): void {
    this.#lines.goOn(this.#take)
    this.#held.set(this.#lines.kept)
    if (this.#waits) return
    if (this.#isRead) this.#finish()
    else this.request.reply.body.resume()
  }

  #goOnOrFault(): void {
    const { reply, onFault } = this.request
    if (reply.isOver) return
    try {
      this.#goOn()
    } catch (error) {
      onFault(error)
      reply.cut()
    }
  }

  protected override over(): void {
    super.over()
    this.#held.set(0)
    this.#leave()
  }

  #feed(bytes: Uint8Array): void {
    if (this.request.reply.isOver) return
    // It may have been read before it was paused.
    if (this.#waits) this.#lines.keep(bytes)
    else this.#lines.feed(bytes, this.#take)
    const { kept } = this.#lines
    if (this.request.reply.isOver) return
    if (!this.#waits && kept > MOST_BYTES) this.#tooLong(kept)
    else if (!this.#held.set(kept)) this.refused(new Refusal(FAILURES.noMemory))
  }

  #end(): void {
    this.#isRead = true
    if (!this.#waits) this.#finish()
  }

  /** All that has come has been published, but for what stands behind the last line break. */
  #finish(): void {
    const rest = this.#lines.end()
    this.#held.set(0)
    if (rest !== undefined && !this.#publish(rest)) return
    const last = this.#messages === 0 ? '' : `, the last to ${this.#subscribers} subscriber(s)`
    this.request.reply.give(textAnswer(200, `[INFO] Delivered ${this.#messages} message(s)${last}.\n`))
  }

  /** Returns whether the next line may follow. */
  #publish(line: Uint8Array): boolean {
    const { reply } = this.request
    if (reply.isOver) return false
    if (line.length > MOST_BYTES) {
      this.#tooLong(line.length)
      return false
    }
    const subscribers = this.publish(line, this.#options)
    if (subscribers !== undefined) {
      this.#count(subscribers)
      if (this.#turns.took()) return true
      reply.body.pause()
      return false
    }
    if (this.publication !== undefined) reply.body.pause()
    return false
  }

  /** Something else has to happen before the next line. */
  get #waits(): boolean {
    return this.publication !== undefined || this.#turns.isResting || this.request.reply.isOver
  }

  #count(subscribers: number): void {
    this.#messages++
    this.#subscribers = subscribers
  }

  #tooLong(found: number): void {
    this.refused(new Refusal(FAILURES.tooLarge, { found, expected: MOST_BYTES }))
  }
}
