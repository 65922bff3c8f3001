import type { Throttle } from '../../gateway/host/plugin-api.js'

interface Speed {
  readonly throttle: Throttle
  users: number
  /** Looks in a row at which nobody used it and nothing was owed. */
  quiet: number
}

/**
 * A throttle for each key. One that nobody uses stays until its debt is paid: otherwise many short transfers, one after
 * the other, would each begin with a new one.
 */
export class Throttles {
  readonly #speeds = new Map<string, Speed>()

  /** @param create makes a throttle with the speed that every key has */
  constructor(
    readonly create: () => Throttle,
    readonly maxKeys: number,
  ) {}

  /** The throttle of this key; `leave` has to follow once. */
  enter(key: string): Throttle {
    let speed = this.#speeds.get(key)
    if (speed === undefined) {
      if (this.#speeds.size >= this.maxKeys) this.#forgetOne()
      speed = { throttle: this.create(), users: 0, quiet: 0 }
      this.#speeds.set(key, speed)
    }
    speed.users++
    speed.quiet = 0
    return speed.throttle
  }

  leave(key: string): void {
    const speed = this.#speeds.get(key)
    if (speed !== undefined) speed.users--
  }

  /** Keys that have a throttle. */
  get size(): number {
    return this.#speeds.size
  }

  /** Drops what is as good as new: to be called once a second. */
  sweep(): void {
    for (const [key, speed] of this.#speeds) {
      if (speed.users > 0) continue
      speed.throttle.refill()
      if (speed.throttle.isDry) continue
      // A level above 0 is a full one a second later.
      if (++speed.quiet > 1) this.#speeds.delete(key)
    }
  }

  /** The oldest that nobody uses. Those in use are as many as there are sides, which the gateway bounds. */
  #forgetOne(): void {
    for (const [key, { users }] of this.#speeds) {
      if (users > 0) continue
      this.#speeds.delete(key)
      return
    }
  }
}
