import type { Publication } from './publication.js'

const NONE: readonly Publication[] = []

/** Messages that wait, in the order in which they came; and for how long some message has. */
export class WaitingRoom {
  /** For those who have not taken what came before. */
  readonly held: Publication[] = []
  /** Some of those wait for nobody who is slow. */
  isUrgent = false
  /** For more subscribers. They hold nobody up. */
  #awaiting: Publication[] = []
  #heldSince: number | undefined
  #heldMs = 0

  constructor(readonly clock: { now(): number }) {}

  get isEmpty(): boolean {
    return this.size === 0
  }

  get size(): number {
    return this.held.length + this.#awaiting.length
  }

  /** For how long publishers have been held back by subscribers, in milliseconds. */
  get heldMs(): number {
    return this.#heldMs + (this.#heldSince === undefined ? 0 : this.clock.now() - this.#heldSince)
  }

  /** @param isUrgent it waits for nobody who is slow */
  hold(publication: Publication, isUrgent: boolean): void {
    if (isUrgent) this.isUrgent = true
    this.#heldSince ??= this.clock.now()
    this.held.push(publication)
  }

  await(publication: Publication): void {
    this.#awaiting.push(publication)
  }

  /** The one that has been held for longest, which is held no more. */
  takeHeld(): Publication {
    const first = this.held.shift()!
    this.#heldNoMore()
    return first
  }

  /** So many are there now. Takes those out that have waited for them. */
  came(subscribers: number): readonly Publication[] {
    if (this.#awaiting.length === 0) return NONE
    const here = this.#awaiting.filter(({ options }) => options.min <= subscribers)
    this.#awaiting = this.#awaiting.filter(({ options }) => options.min > subscribers)
    return here
  }

  /** Takes it out. Returns what it waited for. */
  remove(publication: Publication): 'room' | 'subscribers' {
    const at = this.held.indexOf(publication)
    if (at < 0) {
      this.#awaiting = this.#awaiting.filter((each) => each !== publication)
      return 'subscribers'
    }
    this.held.splice(at, 1)
    this.#heldNoMore()
    return 'room'
  }

  /** Takes all of them out. */
  clear(): Publication[] {
    const all = [...this.held.splice(0), ...this.#awaiting]
    this.#awaiting = []
    this.#heldNoMore()
    return all
  }

  #heldNoMore(): void {
    if (this.held.length > 0) return
    this.isUrgent = false
    this.#heldMs = this.heldMs
    this.#heldSince = undefined
  }
}
