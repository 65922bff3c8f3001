import type { Clock } from '../clock.js'
import type { SlabPool } from '../flow/slab-pool.js'
import type { TurnBudget } from '../flow/turn-budget.js'
import type { Limits } from '../limits.js'
import type { PipeObserver } from '../observer.js'
import type { PipeView } from '../pipe-view.js'

/** What topics need of their surroundings: the table that holds all names. */
export interface TopicContext {
  readonly limits: Limits
  readonly clock: Clock
  readonly slabs: SlabPool
  readonly turn: TurnBudget
  readonly observer: PipeObserver | null
  /** Nobody joins any more. */
  readonly isClosed: boolean
  /** What stands on a name. */
  get(key: string): PipeView | undefined
  nextId(): number
}
