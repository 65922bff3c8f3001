/** Who asks and who answers, and all names on which they do, for `SpecAsk`. */
import type { Limits } from '../../core/index.js'
import type { SpecAsk } from './spec-ask.js'
import { QueuedSender } from './spec-queue.js'
import { SpecTimers } from './spec-timers.js'

export class SpecAnswer {
  fed = 0
  bodyDone = false
  isStreaming = false
  isOver = false
  readonly log: string[] = []

  constructor(
    readonly question: SpecQuestion,
    readonly length: number | undefined,
  ) {}
}

/** A question and, as a receiver, who asked it. */
export class SpecQuestion extends QueuedSender {
  /** By which it can be answered now. */
  answerId: string | undefined
  /** Owns its deadline for the answer. */
  readonly within = {}
  answer: SpecAnswer | undefined
  /** Its worker has all of it, and has not begun to answer. */
  isAwaited = false
  /** It and its answer are over. */
  isDone = false
  /** Who asked is there. */
  present = true
  /** What who asked has taken of the answer. */
  taken = 0
  finishCalled = false
  finished = false
  readonly askerLog: string[] = []

  constructor(
    waitMs: number,
    takeMs: number,
    readonly withinMs: number,
    readonly length: number | undefined,
    readonly maxBytes: number,
    public room: number,
    readonly finishesAtOnce: boolean,
  ) {
    super(waitMs, takeMs)
  }
}

/** What all names share. */
export class SpecAskTable {
  readonly timers = new SpecTimers()
  readonly names: SpecAsk[] = []
  #drawn = 0

  constructor(readonly limits: Pick<Limits, 'maxQueued' | 'maxWaiting' | 'maxActive'>) {}

  get waiting(): number {
    return this.names.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  get streaming(): number {
    return this.names.reduce((sum, { streaming }) => sum + streaming, 0)
  }

  /** What the next worker answers by. */
  draw(): string {
    return `answer-${++this.#drawn}`
  }
}
