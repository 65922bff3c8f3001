import { close, write, writeSync } from 'node:fs'
import { LineQueue } from './line-queue.js'
import type { LineTarget } from './line-target.js'
import { countLost } from './lost-lines.js'

/** How many bytes of lines are kept while they cannot be written. */
export const MAX_KEPT_BYTES = 8 * 1024 * 1024
/** Pieces that one turn of the event loop may write. */
const PIECES_PER_TURN = 64
/** When a full pipe is looked at again: soon, since a reader that keeps up empties it in no time, then less often. */
const FULL_MS = { first: 1, most: 50 }
/** When a failed write is tried again. */
const FAILED_MS = { first: 100, most: 1000 }
/** A write that takes longer is on a disk that is stuck. */
const STUCK_MS = 1000

/** Node's error of a system call. Not its own type, which whoever writes a plugin need not have installed. */
export interface WriteFailure extends Error {
  readonly code?: string | undefined
}

/** What a log says when it can be written again. */
export interface Gap {
  /** How many lines are missing here. */
  readonly lines: number
  /** The error, or undefined when they only came faster than they were taken. */
  readonly failure: WriteFailure | undefined
}

/**
 * Writes lines to a descriptor in their order, as many at once as one turn of the event loop brings. It holds nobody: what
 * cannot be written waits, in bounded memory, and is tried again; what does not fit is dropped and counted, and a line in that
 * place says so as soon as there is room.
 */
export class LineWriter {
  /** Why nothing can be written at the moment. */
  failure: WriteFailure | undefined
  /** Lines that were lost so far. */
  lost = 0
  readonly #name: string
  readonly #gapLine: (gap: Gap) => string | undefined
  readonly #queue: LineQueue
  readonly #maxBytes: number
  #target: LineTarget
  /** A turn, a timer or a write is on its way that goes on with the queue. */
  #isBusy = false
  #timer: NodeJS.Timeout | undefined
  /** The piece that a thread writes, and since when. */
  #inFlight = 0
  #inFlightSince = 0
  #retryMs = 0
  /** Lines dropped at the end of the queue since the last that fitted, and the failure at that time. */
  #gap = 0
  #gapFailure: WriteFailure | undefined
  #whenIdle: (() => void) | undefined
  /** One that is not written to any more, while a thread still does. */
  #retired: LineTarget | undefined
  #isClosed = false

  /**
   * @param name the log's, for the metric
   * @param gapLine the line that takes the place of those that were lost; undefined for none
   */
  constructor(name: string, target: LineTarget, gapLine: (gap: Gap) => string | undefined, maxBytes = MAX_KEPT_BYTES) {
    this.#name = name
    this.#target = target
    this.#gapLine = gapLine
    this.#maxBytes = maxBytes
    this.#queue = new LineQueue(maxBytes)
    countLost(name, 0)
  }

  /** Bytes that wait to be written. */
  get keptBytes(): number {
    return this.#queue.bytes
  }

  get fd(): number {
    return this.#target.fd
  }

  /** @param line with its line break */
  write(line: string): void {
    // Nothing goes behind a gap before the line that tells of it.
    if (this.#gap > 0 || !this.#queue.push(line)) {
      this.#gap++
      this.#gapFailure ??= this.failure
      this.#countLost()
    }
    if (this.#isBusy) return
    this.#isBusy = true
    setImmediate(this.#proceed)
  }

  /** From here on lines go there. A line that was begun in the old place is lost: half of it is of no use in either. */
  moveTo(target: LineTarget): void {
    const old = this.#target
    this.#target = target
    if (this.#inFlight > 0 && this.#retired === undefined) {
      this.#retired = old
      return
    }
    this.#retire(old)
    this.#tryNow()
  }

  #retire({ isOwn, fd }: LineTarget): void {
    if (this.#inFlight === 0 && this.#queue.skipTornLine()) this.#countLost()
    if (isOwn) close(fd, () => {})
  }

  /**
   * Resolves when all is written, with true; or else with false when writing fails, when nobody has taken anything for
   * `silentMs`, or when it takes longer than `ms`.
   */
  flush({ ms, silentMs }: { readonly ms: number; readonly silentMs: number }): Promise<boolean> {
    this.#tryNow()
    if (!this.#isBusy) return Promise.resolve(true)
    if (this.#hasFailed) return Promise.resolve(false)
    return new Promise((resolve) => {
      const deadline = performance.now() + ms
      let left = this.#queue.bytes
      let silentAt = performance.now() + silentMs
      const look = () => {
        const now = performance.now()
        if (this.#queue.bytes !== left) silentAt = now + silentMs
        left = this.#queue.bytes
        if (this.#hasFailed || now >= Math.min(deadline, silentAt)) end(false)
      }
      // Keeps the process alive as well, which the writer's own timer does not.
      const timer = setInterval(look, 10)
      const end = (isWritten: boolean) => {
        clearInterval(timer)
        this.#whenIdle = undefined
        resolve(isWritten)
      }
      this.#whenIdle = () => end(true)
    })
  }

  /** For the end of the process: writes what can be written at once, and waits for nothing. */
  flushNow(): void {
    clearTimeout(this.#timer)
    if (this.#inFlight > 0) {
      // It ends by itself, before the process does; but what holds it would hold us too.
      if (this.#isStuck) return
      this.#queue.take(this.#inFlight)
    }
    try {
      while (this.#queue.bytes > 0) this.#queue.take(this.#writeSync())
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Closes the descriptor, of which the next socket may get the number. What is not written is lost. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#inFlight > 0 && this.#retired === undefined) this.#retired = this.#target
    else if (this.#target.isOwn) close(this.#target.fd, () => {})
  }

  /** Writing fails, and is not being tried again just now. */
  get #hasFailed(): boolean {
    return this.failure !== undefined && this.#inFlight === 0
  }

  get #isStuck(): boolean {
    return this.#inFlight > 0 && performance.now() - this.#inFlightSince > STUCK_MS
  }

  #tryNow(): void {
    if (!this.#isBusy || this.#inFlight > 0) return
    clearTimeout(this.#timer)
    this.#proceed()
  }

  /** Writes what waits, until there is nothing left or something has to be waited for. */
  readonly #proceed = (): void => {
    this.#timer = undefined
    if (this.#inFlight > 0 || this.#isClosed) return
    try {
      for (let pieces = 0; this.#tellGap() || this.#queue.bytes > 0; pieces++) {
        if (this.#target.mayBlock) {
          this.#writeOnThread()
          return
        }
        if (pieces === PIECES_PER_TURN) {
          setImmediate(this.#proceed)
          return
        }
        this.#queue.take(this.#writeSync())
        this.#wentWell()
      }
      this.#isBusy = false
      this.#whenIdle?.()
    } catch (error) {
      this.#wentWrong(error as WriteFailure)
    }
  }

  #writeSync(): number {
    const queue = this.#queue
    return writeSync(this.#target.fd, queue.head, queue.start, queue.next(this.#target.piece))
  }

  /** One at a time: two threads could write in any order. */
  #writeOnThread(): void {
    const queue = this.#queue
    this.#inFlight = queue.next(this.#target.piece)
    this.#inFlightSince = performance.now()
    write(this.#target.fd, queue.head, queue.start, this.#inFlight, null, (error, written) => {
      this.#inFlight = 0
      if (error === null) queue.take(written)
      if (this.#retired !== undefined) this.#retire(this.#retired)
      this.#retired = undefined
      if (error !== null) {
        this.#wentWrong(error)
        return
      }
      this.#wentWell()
      this.#proceed()
    })
  }

  #countLost(): void {
    this.lost++
    countLost(this.#name, 1)
  }

  /** The line for a gap, as soon as half of the room is free: the next gap must not follow at once. Returns whether it was told. */
  #tellGap(): boolean {
    if (this.#gap === 0 || this.#queue.bytes > this.#maxBytes / 2) return false
    const line = this.#gapLine({ lines: this.#gap, failure: this.#gapFailure })
    this.#gap = 0
    this.#gapFailure = undefined
    return line !== undefined && this.#queue.push(line)
  }

  #wentWell(): void {
    this.failure = undefined
    this.#retryMs = 0
  }

  #wentWrong(error: WriteFailure): void {
    const isFull = error.code === 'EAGAIN'
    if (!isFull) this.failure = error
    const { first, most } = isFull ? FULL_MS : FAILED_MS
    this.#retryMs = Math.min(most, Math.max(first, this.#retryMs * 2))
    // A log that cannot be written keeps no process alive.
    if (!this.#isClosed) this.#timer = setTimeout(this.#proceed, this.#retryMs).unref()
  }
}
