/** What every implementation of `Source` brings to the cases, and that of the scripted source. */

import type { SenderEvent } from '../../core/index.js'
import { FakeSource } from '../core/fakes/source.js'
import type { Way } from '../support/peer.js'
import type { Place } from './sink-rig.js'
import { SourceDriver } from './source-driver.js'

/** The far end of a source. */
export interface SenderEnd {
  /** Sends the body up to there, with what ends it when that is all. Does not wait until it has gone out. */
  sendUpTo(bytes: number): void
  leave(way: Way): void
  /** Events in the order in which they were heard. */
  readonly heard: readonly SenderEvent[]
  /** `cut` is an end that everybody can tell from a clean one, `refused` a whole answer with an error status. */
  readonly outcome: 'open' | 'complete' | 'refused' | 'cut'
  isUsable(): Promise<boolean>
  close(): void
}

export interface OpenedSource {
  readonly driver: SourceDriver
  readonly sender: SenderEnd
}

export interface SourceRig {
  readonly name: string
  /** The sender hears news while the transfer lives. */
  readonly tellsNews: boolean
  /** The most that still comes after a pause: what had been read already. */
  readonly readBytes: number
  readonly ways: readonly Way[]
  open(bytes: number): Promise<OpenedSource>
  at(place: Place, run: () => void): Promise<void>
}

/** How much the scripted transport delivers at once. */
const PIECE = 8 * 1024

/** The scripted source, with a transport that delivers a piece a turn while it is not paused. */
export class FakeSourceRig implements SourceRig {
  readonly name = 'scripted'
  readonly tellsNews = true
  readonly readBytes = 0
  readonly ways = ['destroy'] as const

  async open(bytes: number): Promise<OpenedSource> {
    const source = new FakeSource()
    const driver = new SourceDriver(source, bytes)
    return { driver, sender: new FakeSenderEnd(source, driver) }
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

class FakeSenderEnd implements SenderEnd {
  #upTo = 0
  #hasEnded = false
  #isClosed = false

  constructor(
    readonly source: FakeSource,
    readonly driver: SourceDriver,
  ) {
    setImmediate(() => this.#turn())
  }

  get heard(): readonly SenderEvent[] {
    return this.source.events.filter((each) => !each.startsWith('end')) as SenderEvent[]
  }

  get outcome(): SenderEnd['outcome'] {
    if (this.source.ended === undefined) return 'open'
    return this.source.ended === 'complete' ? 'complete' : 'cut'
  }

  sendUpTo(bytes: number): void {
    this.#upTo = bytes
    // An empty body ends as well.
    this.#hasEnded = bytes === this.driver.stream.length
  }

  leave(): void {
    this.#isClosed = true
    this.driver.left()
  }

  async isUsable(): Promise<boolean> {
    return true
  }

  close(): void {
    this.#isClosed = true
  }

  #turn(): void {
    if (this.#isClosed || this.source.ended !== undefined) return
    setImmediate(() => this.#turn())
    if (this.source.paused) return
    const { fed, stream } = this.driver
    if (fed < this.#upTo) {
      const loan = stream.slice(fed, Math.min(this.#upTo, fed + PIECE))
      this.driver.feed(loan)
      loan.fill(0xee)
    } else if (this.#hasEnded) {
      this.#hasEnded = false
      this.driver.end()
    }
  }
}
