import { TurnBudget } from '../../../core/index.js'

/** Something that has output to send at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void
  /** `flush` threw. Must not throw. */
  fault(error: unknown): void
}

/** What crowds may do in one turn: one for each event loop, like this module. */
export const crowdTurn = new TurnBudget()

function flush(item: Flushable): void {
  // A defect in one must not keep the others from sending, and must not end the process.
  try {
    item.flush()
  } catch (error) {
    item.fault(error)
  }
}

/** What is to be flushed. It alternates between two arrays, so that nothing is allocated. */
class Queue {
  #waiting: Flushable[] = []
  #spare: Flushable[] = []

  add(item: Flushable): void {
    this.#waiting.push(item)
  }

  /** Flushes what is queued now. What is added meanwhile waits for the next turn. */
  flush(): void {
    const ready = this.#waiting
    this.#waiting = this.#spare
    this.#spare = ready
    for (let i = 0; i < ready.length; i++) flush(ready[i]!)
    ready.length = 0
  }
}

/** Receivers of crowds that had to wait for another turn. First come, first served, so that none of them starves. */
class CrowdQueue {
  #waiting: Flushable[] = []
  /** How many of those have been flushed. */
  #done = 0

  add(item: Flushable): void {
    this.#waiting.push(item)
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Flushes as many as this turn can do. Each is counted, because one that only ends moves no byte. */
  flush(): void {
    while (this.#done < this.#waiting.length && !crowdTurn.isSpent) {
      crowdTurn.spend(0)
      flush(this.#waiting[this.#done++]!)
    }
    // Now and then, because moving what is left costs as much as there is.
    if (2 * this.#done < this.#waiting.length) return
    this.#waiting.splice(0, this.#done)
    this.#done = 0
  }
}

const streams = new Queue()
const statusLines = new Queue()
const crowds = new CrowdQueue()
let isScheduled = false
let isEnding = false

/** A turn is ending: no connection is corked, whoever asks. */
export function isEndOfTurn(): boolean {
  return isEnding
}

function flushAll(): void {
  isScheduled = false
  isEnding = true
  crowdTurn.begin()
  streams.flush()
  // After the streams, because flushing them causes lines: those of a short transfer then leave together.
  statusLines.flush()
  crowds.flush()
  isEnding = false
  if (!crowds.isEmpty) schedule()
}

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(flushAll)
}

/**
 * Calls `item.flush()` once, after every callback of this turn has returned. The caller must not add an item twice.
 *
 * Why not write at once: while uWebSockets runs the callback of one connection it has corked that connection, and only
 * one can be corked at a time. Anything written to another one leaves in a packet for every few bytes (27 for a response
 * head), and over TLS it corrupts the connection whose callback is running.
 */
export function atEndOfTurn(item: Flushable, kind: 'stream' | 'status lines' = 'stream'): void {
  if (kind === 'stream') streams.add(item)
  else statusLines.add(item)
  schedule()
}

/** Calls `item.flush()` once, at the end of this turn or of a later one: as soon as the turns of crowds come to it. */
export function whenCrowdsTurnComes(item: Flushable): void {
  crowds.add(item)
  schedule()
}
