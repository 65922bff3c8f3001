import type { Throttle } from '../../gateway/host/plugin-api.js'

interface Entry {
  readonly throttle: Throttle
  users: number
  /** Sweeps in a row that found it unused and without debt. */
  idleSweeps: number
}

/**
 * A throttle for each key. An unused one stays until its debt is paid: otherwise each of many short transfers in a row would
 * begin with a new one.
 */
export class Throttles {
  readonly #entries = new Map<string, Entry>()

  /** @param create makes a throttle for a key, with the speed that every key has */
  constructor(
    readonly create: (key: string) => Throttle,
    readonly maxKeys: number,
  ) {}

  /** The throttle of this key; `leave` has to follow once. */
  enter(key: string): Throttle {
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      if (this.#entries.size >= this.maxKeys) this.#forgetOne()
      entry = { throttle: this.create(key), users: 0, idleSweeps: 0 }
      this.#entries.set(key, entry)
    }
    entry.users++
    entry.idleSweeps = 0
    return entry.throttle
  }

  leave(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.users--
  }

  /** Keys that have a throttle. */
  get size(): number {
    return this.#entries.size
  }

  /** Drops what is as good as new: to be called once a second. */
  sweep(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.users > 0) continue
      entry.throttle.refill()
      if (entry.throttle.isDry) continue
      // A level above 0 is a full one a second later.
      if (++entry.idleSweeps > 1) this.#entries.delete(key)
    }
  }

  /** The oldest unused one. The number of those in use is bounded by the gateway, which bounds the sides. */
  #forgetOne(): void {
    for (const [key, { users }] of this.#entries) {
      if (users > 0) continue
      this.#entries.delete(key)
      return
    }
  }
}
