import type { Publication } from './publication.js'

const NONE: readonly Publication[] = []

/** Messages that wait, in the order in which they came; and for how long some message has. */
export class WaitingRoom {
  /** For those who have not taken what came before. */
  readonly held: Publication[] = []
  /** For more subscribers. They hold nobody up. */
  #awaiting: Publication[] = []
  /** Those of the held that wait for nobody who is slow. */
  readonly #urgent = new Set<Publication>()
  #heldSince: number | undefined
  #heldMs = 0

  constructor(readonly clock: { now(): number }) {}

  get isEmpty(): boolean {
    return this.size === 0
  }

  get size(): number {
    return this.held.length + this.#awaiting.length
  }

  /** Some of those that are held wait for nobody who is slow. */
  get isUrgent(): boolean {
    return this.#urgent.size > 0
  }

  /** For how long publishers have been held back by subscribers, in milliseconds. */
  get heldMs(): number {
    return this.#heldMs + (this.#heldSince === undefined ? 0 : this.clock.now() - this.#heldSince)
  }

  /** @param isUrgent it waits for nobody who is slow */
  hold(publication: Publication, isUrgent: boolean): void {
    if (isUrgent) this.#urgent.add(publication)
    this.#heldSince ??= this.clock.now()
    this.held.push(publication)
  }

  await(publication: Publication): void {
    this.#awaiting.push(publication)
  }

  /** The one that has been held for longest, which is held no more. */
  takeHeld(): Publication {
    const first = this.held.shift()!
    this.#heldNoMore(first)
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
    this.#heldNoMore(publication)
    return 'room'
  }

  /** Takes all of them out. */
  clear(): Publication[] {
    const all = [...this.held.splice(0), ...this.#awaiting]
    this.#awaiting = []
    for (const publication of all) this.#heldNoMore(publication)
    return all
  }

  #heldNoMore(publication: Publication): void {
    this.#urgent.delete(publication)
    if (this.held.length > 0) return
    this.#heldMs = this.heldMs
    this.#heldSince = undefined
  }
}
