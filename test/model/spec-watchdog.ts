/** The specification's idle, rate and stall limits. */
import type { EndReason, Limits } from '../../core/index.js'
import type { SpecPipe, SpecReceiver } from './spec-pipe.js'
import type { SpecTimers } from './spec-timers.js'

export class SpecWatchdog {
  constructor(
    readonly limits: Limits,
    readonly timers: SpecTimers,
    readonly actions: {
      end(pipe: SpecPipe, reason: EndReason): void
      /** A receiver leaves a stream. */
      goes(receiver: SpecReceiver, reasonIfLast: EndReason): void
    },
  ) {}

  /** The pipe begins to stream. */
  start(pipe: SpecPipe): void {
    pipe.movedAt = this.timers.now
    pipe.seen = pipe.kind === 'live' ? '0' : JSON.stringify([0, ...pipe.receivers.map(() => [0, false])])
    pipe.periodAt = this.timers.now
    pipe.aloneSince = this.timers.now
    this.#checkLater(pipe)
  }

  /** A pipe that streams checks its limits once a second. */
  #checkLater(pipe: SpecPipe): void {
    this.timers.after(1000, pipe, () => {
      this.#check(pipe)
      if (pipe.state === 'streaming') this.#checkLater(pipe)
    })
  }

  #check(pipe: SpecPipe): void {
    const stallMs = this.#stallMs(pipe)
    if (stallMs > 0) for (const receiver of pipe.here) this.#cutIfStalled(receiver, stallMs)
    const { seen } = pipe
    pipe.seen = pipe.kind === 'live' ? movedIn(pipe) : seenOf(pipe)
    if (pipe.seen !== seen || pipe.holdsForNobody) pipe.movedAt = this.timers.now
    if (!pipe.holdsForNobody) pipe.aloneSince = this.timers.now
    else if (this.timers.now - pipe.aloneSince >= pipe.sender!.waitMs) this.actions.end(pipe, 'no_receivers')
    const { idleMs } = this.limits
    if (pipe.state === 'streaming' && idleMs > 0 && this.timers.now - pipe.movedAt >= idleMs)
      this.actions.end(pipe, 'idle')
    if (pipe.state === 'streaming') this.#endIfSlow(pipe)
  }

  /** Viewers who are cut when they fall behind are when they stand still, too. */
  #stallMs({ kind, isPaced, sender }: SpecPipe): number {
    const { stallMs } = sender!
    const { stallMs: most } = this.limits.live
    return kind === 'pipe' || isPaced ? stallMs : Math.min(stallMs || most, most)
  }

  #endIfSlow(pipe: SpecPipe): void {
    if (pipe.kind === 'live') return
    const seconds = (this.timers.now - pipe.periodAt) / 1000
    if (seconds * 1000 < this.limits.ratePeriodMs) return
    const delivered = Math.min(pipe.sender!.bytesIn, ...pipe.here.map((receiver) => receiver.delivered))
    const rate = (delivered - pipe.periodOut) / seconds
    pipe.periodAt = this.timers.now
    pipe.periodOut = delivered
    if (rate < this.limits.minRate) this.actions.end(pipe, 'too_slow')
  }

  #cutIfStalled(receiver: SpecReceiver, stallMs: number): void {
    const sender = receiver.pipe?.sender
    if (sender === undefined || receiver.finished) return
    const idle = receiver.at >= sender.bytesIn && !sender.bodyDone
    if (idle || receiver.delivered !== receiver.deliveredAtCheck || receiver.stillSince === undefined) {
      receiver.stillSince = this.timers.now
      receiver.deliveredAtCheck = receiver.delivered
    }
    if (this.timers.now - receiver.stillSince < stallMs) return
    receiver.log.push('abort receivers_stalled')
    this.actions.goes(receiver, 'receivers_stalled')
  }
}

function seenOf({ sender, receivers }: SpecPipe): string {
  const each = receivers.map(({ present, delivered, finished }) => (present ? [delivered, finished] : 'gone'))
  return JSON.stringify([sender!.bytesIn, ...each])
}

function movedIn({ sender, here, goneTaken }: SpecPipe): string {
  return String(here.reduce((sum, { taken, inFlight }) => sum + taken - inFlight, sender!.bytesIn + goneTaken))
}
