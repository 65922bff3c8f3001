/** A place in a line, until it is left. */
export interface Place<T> {
  readonly who: T
  before: Place<T> | undefined
  behind: Place<T> | undefined
}

/** Who can stand in a line: in one place at a time. */
export interface Queued<T> {
  place: Place<T> | undefined
}

/** Those who wait, in their order. Whoever stands in the midst of it leaves in the same time as the first one. */
export class Line<T extends Queued<T>> {
  #first: Place<T> | undefined
  #last: Place<T> | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Takes the last place. */
  join(who: T): void {
    const before = this.#last
    const place = { who, before, behind: undefined }
    if (before === undefined) this.#first = place
    else before.behind = place
    this.#last = place
    this.#entered(place)
  }

  /**
   * Takes the place behind those at the head of whom this is true.
   * @param from one of them, to begin with if it stands here: many who come back one after the other need not all be passed each time
   */
  joinBehind(who: T, isBefore: (other: T) => boolean, from?: T): void {
    let before = from?.place
    let behind = before === undefined ? this.#first : before.behind
    while (behind !== undefined && isBefore(behind.who)) {
      before = behind
      behind = behind.behind
    }
    const place = { who, before, behind }
    if (before === undefined) this.#first = place
    else before.behind = place
    if (behind === undefined) this.#last = place
    else behind.before = place
    this.#entered(place)
  }

  /** Leaves, if it stands here. */
  leave(who: T): void {
    const { place } = who
    if (place === undefined) return
    const { before, behind } = place
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
    who.place = undefined
    // One that is old for V8 would make all behind it old, although they are over soon.
    place.before = undefined
    place.behind = undefined
    this.#length--
  }

  /** The first one of whom this is true. */
  first(isFit: (who: T) => boolean): T | undefined {
    for (let place = this.#first; place !== undefined; place = place.behind) if (isFit(place.who)) return place.who
    return undefined
  }

  /** All of them, as they stand now. */
  all(): T[] {
    const all: T[] = []
    for (let place = this.#first; place !== undefined; place = place.behind) all.push(place.who)
    return all
  }

  #entered(place: Place<T>): void {
    place.who.place = place
    this.#length++
  }
}
