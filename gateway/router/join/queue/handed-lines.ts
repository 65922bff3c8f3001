import type { FollowedSink } from '../../exchange.js'
import type { TakenLine } from './taken-line.js'

/** How long after a write it is looked for the first time what has arrived, and the longest pause, in milliseconds. */
const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 64

/** Jobs that a worker's connection has taken, in their order, until they have arrived at its machine: nothing reports that. */
export class HandedLines {
  /** Where the response ends by now. */
  end = 0
  #lines: { readonly line: TakenLine; readonly end: number; readonly bytes: number }[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #pauseMs = FIRST_PAUSE_MS

  /** @param later is called with what is to be done when it is time to look again */
  constructor(
    readonly sink: Pick<FollowedSink, 'arrived'>,
    readonly later: (look: () => void) => void,
  ) {}

  /** So many are on their way, and so many bytes. */
  get count(): number {
    return this.#lines.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Its last byte has been taken. */
  add(line: TakenLine): void {
    const bytes = line.bytes!.length
    // From here on its sender keeps it, until it has begun to arrive.
    line.bytes = undefined
    this.#bytes += bytes
    this.#lines.push({ line, end: line.start! + bytes, bytes })
  }

  /** So many bytes have been written. */
  wrote(bytes: number): void {
    this.end += bytes
    this.#pauseMs = FIRST_PAUSE_MS
  }

  /** Tells those that have arrived, and looks again later for the others. */
  look(): void {
    if (this.#lines.length === 0) return
    this.#confirm()
    if (this.#lines.length === 0 || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
      this.later(() => this.look())
    }, this.#pauseMs)
  }

  /** Nothing more arrives. Those of which nothing has are given back, the first one last, so that it is the first one again. */
  over(): void {
    clearTimeout(this.#timer)
    this.#confirm()
    for (const { line } of this.#lines.splice(0).toReversed()) line.endpoint!.left()
  }

  #confirm(): void {
    const { arrived } = this.sink
    let count = 0
    while (count < this.#lines.length && this.#lines[count]!.end <= arrived) count++
    if (count === 0) return
    for (const { line, bytes } of this.#lines.splice(0, count)) {
      this.#bytes -= bytes
      line.isConfirmed = true
      line.endpoint!.finished()
    }
  }
}
