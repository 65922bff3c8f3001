/** One who is in a group, until it leaves. */
export class Member<T> {
  /** @param who undefined once it has left */
  constructor(
    public who: T | undefined,
    readonly others: Set<Member<T>>,
  ) {}

  /** Returns whether it was there until now. */
  leave(): boolean {
    this.who = undefined
    return this.others.delete(this)
  }
}

/**
 * Those who come and go quickly, in the order in which they came. What a Set keeps of those who have gone is no more than a `Member`:
 * `Clock` says why that matters.
 */
export class Group<T> {
  readonly #members = new Set<Member<T>>()

  get size(): number {
    return this.#members.size
  }

  join(who: T): Member<T> {
    const member = new Member(who, this.#members)
    this.#members.add(member)
    return member
  }

  *[Symbol.iterator](): Generator<T> {
    for (const { who } of this.#members) if (who !== undefined) yield who
  }
}
