import type { Reply } from '../../gateway/host/plugin-api.js'

/**
 * One client that watches. While it does not take what it is sent it misses figures; afterwards it is told the state as it is
 * then. So what is kept for it is a few lines, whatever happens.
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

  /** Something that it must learn. */
  tell(text: string): void {
    if (this.#finished) return
    if (this.#blockedSince === undefined) this.#write(text)
    else this.#missedState = true
  }

  /** Something that is out of date soon. */
  mention(text: string): void {
    if (!this.#finished && this.#blockedSince === undefined) this.#write(text)
  }

  /** Ends the stream behind these words. */
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
