import type { Clock } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import type { SlabPool } from '../flow/slab-pool.js'
import type { TurnBudget } from '../flow/turn-budget.js'
import type { Limits } from '../limits.js'
import type { PipeObserver } from '../observer.js'
import type { PipeView } from '../pipe-view.js'

/** What a pipe needs of its surroundings: the table that holds it. */
export interface PipeContext {
  readonly limits: Limits
  readonly clock: Clock
  readonly slabs: SlabPool
  readonly turn: TurnBudget
  readonly observer: PipeObserver | null
  /** Viewers of all live streams together: streams count theirs here. */
  viewers: number
  /** Whether one more transfer may stream. */
  mayStream(): boolean
  onStreaming(pipe: PipeView): void
  /** What streamed waits as before. */
  onWaitingAgain(pipe: PipeView): void
  /** The pipe has ended. Its name is free from now on. */
  onEnded(pipe: PipeView): void
  /** It has ended, and its last bytes are still on their way; until `onRested`. */
  onResting(transfer: Resting): void
  onRested(transfer: Resting): void
}

/** What a name with many transfers needs besides. */
export interface SharedNameContext extends PipeContext {
  /** Receivers that wait in lines, and belong to no transfer yet: names count theirs here. */
  queuedReceivers: number
  /** Askers whose question a worker has got, and who belong to no transfer until it answers: names count theirs here. */
  unanswered: number
  /** One of the two has changed. */
  counted(): void
  /** Whether one more may wait. */
  mayWait(): boolean
  nextId(): number
  /** One of its transfers has been made, and one has ended. */
  onOpened(pipe: PipeView): void
  onOneEnded(pipe: PipeView): void
  /** Nobody is left on this name. */
  onEmpty(key: string): void
}

/** A transfer that has ended cleanly and is not over. */
export interface Resting {
  /** Ends it now. */
  endRest(reason: EndReason): void
}

/** What transfers on a name of many need: most of it is the table's. */
export abstract class ContextWithin implements PipeContext {
  readonly viewers = 0

  constructor(readonly table: SharedNameContext) {}

  abstract onEnded(pipe: PipeView): void

  onStreaming(pipe: PipeView): void {
    this.table.onStreaming(pipe)
  }

  onWaitingAgain(pipe: PipeView): void {
    this.table.onWaitingAgain(pipe)
  }

  onResting(): void {}

  onRested(): void {}

  mayStream(): boolean {
    return this.table.mayStream()
  }

  get limits() {
    return this.table.limits
  }

  get clock() {
    return this.table.clock
  }

  get slabs() {
    return this.table.slabs
  }

  get turn() {
    return this.table.turn
  }

  get observer() {
    return this.table.observer
  }
}
