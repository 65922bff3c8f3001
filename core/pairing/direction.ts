import type { EndReason } from '../end-reason.js'
import type { FanOut } from '../flow/fan-out.js'
import { Watchdog, type WatchedFanOut } from '../flow/watchdog.js'
import type { SenderJoinOptions } from '../join-options.js'
import type { DuplexPeer } from './duplex-peer.js'
import { Pipe } from './pipe.js'
import type { PipeContext } from './pipe-context.js'

/** The duplex pipe that it is a direction of. */
export interface Pair {
  /** A peer is about to join both directions: neither begins before it has. */
  readonly isJoining: boolean
  /** Grows whenever anything moves in either direction. */
  readonly progress: number
  /** It has ended, and both sides of it have been told. */
  onOver(direction: Direction, wasStreaming: boolean): void
}

/** What one peer of a duplex pipe says to the other: a pipe with one receiver, in whose fate the other direction has a part. */
export class Direction extends Pipe {
  override readonly kind = 'duplex'
  /** Who sends here, if it joined both directions at once. */
  peer: DuplexPeer | undefined

  constructor(
    context: PipeContext,
    readonly pair: Pair,
    id: number,
    key: string,
    readonly side: 0 | 1,
  ) {
    super(context, id, key, 1)
  }

  get inMessages(): boolean {
    const speaks = this.sender?.options.duplex?.inMessages === true
    return speaks && this.receivers[0]?.options.duplex?.inMessages === true
  }

  override streamIfReady(): void {
    if (this.state === 'waiting' && !this.pair.isJoining) super.streamIfReady()
  }

  override end(reason: EndReason): void {
    if (this.state === 'ended') return
    const wasStreaming = this.isStreaming
    super.end(reason)
    this.pair.onOver(this, wasStreaming)
  }

  /** Somebody who only listens is not idle, and nobody who talks has to be fast. */
  protected override newWatchdog(fanOut: FanOut, { stallMs }: SenderJoinOptions): Watchdog {
    const { pair } = this
    const { clock, limits } = this.context
    const both: WatchedFanOut = {
      stalled: (now, ms) => fanOut.stalled(now, ms),
      awaitsReceivers: false,
      get progress() {
        return pair.progress
      },
      get delivered() {
        return fanOut.delivered
      },
    }
    return new Watchdog(this, both, clock, { ...limits, minRate: 0 }, stallMs)
  }
}
