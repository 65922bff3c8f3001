/** What every implementation of `Sink` brings to the cases, and that of the scripted sink. */

import { FakeSink } from '../core/fakes/sink.js'
import type { Way } from '../support/peer.js'
import { SinkDriver, type SinkPlan } from './sink-driver.js'

/** The far end of a sink. */
export interface Receiver {
  /** What arrived. */
  readonly body: Buffer
  /** `refused` is a whole answer with an error status; `cut` is an end that everybody can tell from a clean one. */
  readonly outcome: 'open' | 'complete' | 'refused' | 'cut'
  freeze(): void
  thaw(): void
  leave(way: Way): void
  /** Whether the connection serves another request. */
  isUsable(): Promise<boolean>
  close(): void
}

/** From where the core is called: a callback of another connection, or a place where no connection is being served. */
export type Place = 'callback' | 'turn'

export interface OpenedSink {
  readonly driver: SinkDriver
  readonly receiver: Receiver
}

export interface SinkRig {
  readonly name: string
  /** The sender announces its length. */
  readonly announced: boolean
  /** How many bytes the sink may take for a receiver that reads nothing, what its kernel holds included. */
  readonly frozenBytes: number
  readonly ways: readonly Way[]
  open(plan: Omit<SinkPlan, 'announced'>, options?: { readonly readBytes?: number }): Promise<OpenedSink>
  /** Runs this from such a place, and resolves when it has run. */
  at(place: Place, run: () => void): Promise<void>
}

/** How many bytes the scripted transport has room for. */
const ROOM = 64 * 1024

/** The scripted sink, with a transport that takes `ROOM` bytes a turn while its receiver reads. */
export class FakeRig implements SinkRig {
  readonly frozenBytes = ROOM
  readonly ways = ['destroy'] as const

  constructor(
    readonly name: string,
    readonly announced: boolean,
    readonly finishesAtOnce: boolean,
  ) {}

  async open(plan: Omit<SinkPlan, 'announced'>): Promise<OpenedSink> {
    const sink = new FakeSink(ROOM, this.finishesAtOnce)
    const driver = new SinkDriver(sink, { ...plan, announced: this.announced })
    return { driver, receiver: new FakeReceiver(sink, driver) }
  }

  at(_place: Place, run: () => void): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        run()
        resolve()
      })
    })
  }
}

class FakeReceiver implements Receiver {
  #frozen = false
  #closed = false

  constructor(
    readonly sink: FakeSink,
    readonly driver: SinkDriver,
  ) {
    setImmediate(() => this.#turn())
  }

  get body(): Buffer {
    return Buffer.from(this.sink.bytes)
  }

  get outcome(): Receiver['outcome'] {
    if (this.sink.aborted !== undefined) return this.sink.head === undefined ? 'refused' : 'cut'
    return this.sink.finished ? 'complete' : 'open'
  }

  freeze(): void {
    this.#frozen = true
  }

  thaw(): void {
    this.#frozen = false
  }

  leave(): void {
    this.#closed = true
    this.sink.disconnected = true
    this.driver.left()
  }

  async isUsable(): Promise<boolean> {
    return true
  }

  close(): void {
    this.#closed = true
  }

  #turn(): void {
    if (this.#closed || this.outcome !== 'open') return
    setImmediate(() => this.#turn())
    if (this.#frozen) return
    this.sink.room = ROOM
    if (this.sink.full) {
      this.sink.full = false
      this.driver.drained()
    } else if (this.sink.finishCalled) {
      this.sink.finished = true
      this.driver.sinkFinished()
    }
  }
}
