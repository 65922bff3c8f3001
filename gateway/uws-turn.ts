/** Something that has output to send at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void
  /** `flush` threw. Must not throw. */
  fault(error: unknown): void
}

let queue: Flushable[] = []
let spare: Flushable[] = []

function flushAll(): void {
  const ready = queue
  queue = spare
  spare = ready
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

/**
 * Calls `item.flush()` once, after every callback of this turn has returned; the caller sees to it that an item is not
 * added twice.
 *
 * Why not write at once: while uWebSockets runs the callback of one connection it has corked that connection, and only
 * one can be corked at a time. What is written to another one then leaves in a packet for every few bytes (27 for a
 * response head), and over TLS it corrupts the connection whose callback is running.
 */
export function atEndOfTurn(item: Flushable): void {
  if (queue.push(item) === 1) setImmediate(flushAll)
}
