/** What is in a {@link Crowd}. */
export interface Member {
  /** Its place there. */
  place: number
}

/**
 * A set of what comes and goes all the time. Not a `Set`: that makes a new table for every few of them, and each old one, which lives
 * until the old generation is collected, keeps alive whatever was in it.
 */
export class Crowd<M extends Member> {
  readonly #members: M[] = []

  add(member: M): void {
    member.place = this.#members.push(member) - 1
  }

  /** The last one takes its place. */
  remove(member: M): void {
    const { place } = member
    if (this.#members[place] !== member) return
    const last = this.#members.pop()!
    if (last === member) return
    this.#members[place] = last
    last.place = place
  }

  /** Whoever is visited may remove itself. */
  each(visit: (member: M) => void): void {
    for (let i = this.#members.length - 1; i >= 0; i--) {
      const member = this.#members[i]
      if (member !== undefined) visit(member)
    }
  }
}
