/** Something that has output to send at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void
  /** `flush` threw. Must not throw. */
  fault(error: unknown): void
}

/** What is to be flushed; two arrays by turns, so that nothing is allocated. */
class Queue {
  #waiting: Flushable[] = []
  #spare: Flushable[] = []

  add(item: Flushable): void {
    this.#waiting.push(item)
  }

  /** Flushes what is here now. */
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
let awaited = false

function flushAll(): void {
  awaited = false
  streams.flush()
  // Behind the streams, since these give rise to lines: those of a short transfer leave together.
  statusLines.flush()
}

/**
 * Calls `item.flush()` once, after every callback of this turn has returned; the caller sees to it that an item is not
 * added twice.
 *
 * Why not write at once: while uWebSockets runs the callback of one connection it has corked that connection, and only
 * one can be corked at a time. What is written to another one then leaves in a packet for every few bytes (27 for a
 * response head), and over TLS it corrupts the connection whose callback is running.
 */
export function atEndOfTurn(item: Flushable, kind: 'stream' | 'status lines' = 'stream'): void {
  if (kind === 'stream') streams.add(item)
  else statusLines.add(item)
  if (awaited) return
  awaited = true
  setImmediate(flushAll)
}
