import type { Reply } from '../../gateway/host/plugin-api.js'

/**
 * One client that watches. While it does not take what it is sent it misses figures; afterwards it gets the state as it is then.
 * So no more than a few lines are buffered for it.
 */
export class Spectator {
  readonly #since: number
  #blockedSince: number | undefined
  #missedState = false
  #finished = false

  /**
   * @param now a clock in milliseconds
   * @param state renders the state of what it watches
   */
  constructor(
    readonly reply: Reply,
    readonly now: () => number,
    readonly state: () => string,
  ) {
    this.#since = now()
    reply.onDrain(() => this.#drained())
  }

  get ageMs(): number {
    return this.now() - this.#since
  }

  /** For how long it has taken nothing. */
  get blockedMs(): number {
    return this.#blockedSince === undefined ? 0 : this.now() - this.#blockedSince
  }

  /** It must learn this: when it is blocked it gets the whole state afterwards. */
  send(text: string): void {
    if (this.#finished) return
    if (this.#blockedSince === undefined) this.#write(text)
    else this.#missedState = true
  }

  /** Out of date soon: dropped when it is blocked. */
  sendDroppable(text: string): void {
    if (!this.#finished && this.#blockedSince === undefined) this.#write(text)
  }

  /** Ends the stream after this text. */
  finish(text: string): void {
    if (this.#finished) return
    this.#finished = true
    if (text !== '') this.reply.write(text)
    this.reply.close()
  }

  #write(text: string): void {
    if (!this.reply.write(text)) this.#blockedSince ??= this.now()
  }

  #drained(): void {
    this.#blockedSince = undefined
    if (!this.#missedState || this.#finished) return
    this.#missedState = false
    this.#write(this.state())
  }
}
