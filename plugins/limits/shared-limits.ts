/** The limits of this plugin where several threads of one process count together: as those beside them, in memory that is shared. */
import type { Host, ThrottleBucket } from '../../gateway/host/plugin-api.js'
import type { Concurrency } from './concurrency-counter.js'
import type { WindowConfig } from './config.js'
import type { Windows } from './fixed-window-limiter.js'
import { SharedTable } from './shared-table.js'

type SharingHost = Pick<Host, 'sharedMemory' | 'thread' | 'now'>

/** What the gateway's clock is behind one that all threads have, in milliseconds. Theirs began when each of them did. */
function offsetOf({ now }: SharingHost): number {
  return Number(process.hrtime.bigint()) / 1e6 - now()
}

const USED = 0
const ENDS_AT = 1

export class SharedWindows implements Windows {
  readonly #table: SharedTable
  readonly #offset: number

  constructor(
    readonly host: SharingHost,
    name: string,
    readonly config: WindowConfig,
    maxKeys: number,
  ) {
    this.#table = new SharedTable(host, name, maxKeys, 2)
    this.#offset = offsetOf(host)
  }

  take(key: string): number {
    return this.#table.locked(() => this.#take(key, this.host.now() + this.#offset))
  }

  #take(key: string, now: number): number {
    const { rows } = this.#table
    const { points, seconds } = this.config
    const rank = (at: number) => (rows[at + ENDS_AT]! <= now ? Number.NEGATIVE_INFINITY : rows[at + ENDS_AT]!)
    const at = this.#table.find(key, rank)
    if (rows[at + ENDS_AT]! <= now) {
      rows[at + USED] = 0
      rows[at + ENDS_AT] = now + seconds * 1000
    }
    if (rows[at + USED]! >= points) return rows[at + ENDS_AT]! - now
    rows[at + USED]!++
    return 0
  }

  /** A place whose window is over is the next one's. */
  forgetOld(): void {}
}

/** Each thread has a column, so that what one has counted that dies can be forgotten. */
export class SharedConcurrency implements Concurrency {
  readonly #table: SharedTable
  readonly #own: number
  readonly #threads: number

  constructor(
    host: SharingHost,
    name: string,
    readonly limit: number,
    maxKeys: number,
  ) {
    const { number, count } = host.thread
    this.#table = new SharedTable(host, name, maxKeys, count)
    this.#own = number
    this.#threads = count
    this.#table.locked(() => this.#table.clearColumn(number))
  }

  enter(key: string): boolean {
    return this.#table.locked(() => {
      const at = this.#table.find(key, (other) =>
        this.#sum(other) === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
      )
      // So many other keys are in use at once that there is no room: the gateway's own bounds are reached before.
      if (at < 0 || this.#sum(at) >= this.limit) return false
      this.#table.rows[at + this.#own]!++
      return true
    })
  }

  leave(key: string): void {
    this.#table.locked(() => {
      const at = this.#table.find(key)
      if (at >= 0) this.#table.rows[at + this.#own]!--
    })
  }

  #sum(at: number): number {
    let sum = 0
    for (let i = 0; i < this.#threads; i++) sum += this.#table.rows[at + i]!
    return sum
  }
}

const LEVEL = 0
const FILLED_AT = 1
/** Of each thread: until when it counts as one that waits, and when it had its turn. */
const TURNS = 2
/** Who waits says so every 50 ms. */
const WAITS_MS = 200

/**
 * What may be spent of each key's speed, with turns for those that wait, so that transfers in different threads get the same. Two threads
 * that spend in the very same moment may count one of both.
 */
export class SharedBuckets {
  readonly #table: SharedTable
  readonly #offset: number
  readonly #own: number
  readonly #threads: number

  constructor(
    readonly host: SharingHost,
    name: string,
    maxKeys: number,
  ) {
    const { number, count } = host.thread
    this.#table = new SharedTable(host, name, maxKeys, TURNS + 2 * count)
    this.#offset = offsetOf(host)
    this.#own = number
    this.#threads = count
  }

  /** A bucket that nobody has used is full: it was filled before there was time. */
  of(key: string): ThrottleBucket | undefined {
    const { rows } = this.#table
    const at = this.#table.locked(() => this.#table.find(key, (other) => rows[other + FILLED_AT]!))
    if (at < 0) return undefined
    const offset = this.#offset
    return {
      get level() {
        return rows[at + LEVEL]!
      },
      set level(bytes) {
        rows[at + LEVEL] = bytes
      },
      get filledAt() {
        return rows[at + FILLED_AT]! - offset
      },
      set filledAt(ms) {
        rows[at + FILLED_AT] = ms + offset
      },
      waits: () => this.#isTurn(at + TURNS, this.host.now() + offset),
      hadTurn: () => {
        const turn = at + TURNS + 2 * this.#own
        rows[turn] = 0
        rows[turn + 1] = this.host.now() + offset
      },
    }
  }
  #isTurn(turns: number, now: number): boolean {
    const { rows } = this.#table
    const own = turns + 2 * this.#own
    rows[own] = now + WAITS_MS
    for (let i = 0, at = turns; i < this.#threads; i++, at += 2)
      if (at !== own && rows[at]! > now && rows[at + 1]! < rows[own + 1]!) return false
    return true
  }
}
