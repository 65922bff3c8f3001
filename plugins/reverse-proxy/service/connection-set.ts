/** An element of a {@link ConnectionSet}. */
export interface TrackedConnection {
  /** Where it stands in the set; -1 before it is added. Only the set writes it. */
  index: number
}

/**
 * A set whose elements come and go all the time. Not a `Set`: that allocates a new table every few changes, and each old table,
 * which lives until the old generation is collected, keeps alive whatever was in it.
 */
export class ConnectionSet<C extends TrackedConnection> {
  readonly #connections: C[] = []

  add(connection: C): void {
    connection.index = this.#connections.push(connection) - 1
  }

  /** Moves the last element to the index that becomes free. */
  remove(connection: C): void {
    const { index } = connection
    if (this.#connections[index] !== connection) return
    const last = this.#connections.pop()!
    if (last === connection) return
    this.#connections[index] = last
    last.index = index
  }

  /** The callback may remove the element that it is given. */
  each(visit: (connection: C) => void): void {
    for (let i = this.#connections.length - 1; i >= 0; i--) {
      const connection = this.#connections[i]
      if (connection !== undefined) visit(connection)
    }
  }
}
