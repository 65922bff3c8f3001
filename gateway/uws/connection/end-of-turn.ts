/** Something that has output to send at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void
  /** `flush` threw. Must not throw. */
  fault(error: unknown): void
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
    for (let i = 0; i < ready.length; i++) {
      const item = ready[i]!
      // A defect in one must not keep the others from sending, and must not end the process.
      try {
        item.flush()
      } catch (error) {
        item.fault(error)
      }
    }
    ready.length = 0
  }
}

const streams = new Queue()
const statusLines = new Queue()
let isScheduled = false

function flushAll(): void {
  isScheduled = false
  streams.flush()
  // After the streams, because flushing them causes lines: those of a short transfer then leave together.
  statusLines.flush()
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
  if (isScheduled) return
  isScheduled = true
  setImmediate(flushAll)
}
