import type { BorrowedBytes, EndReason, PipeView, ReceiverEndpoint, Sink, StreamHead } from '../../../../core/index.js'
import { indexOfLineFeed, LF } from '../../../stream/topic/line-breaks.js'

/**
 * So long a job may be that is no line of an upload, in bytes, for a worker that takes lines. As long as nothing of a job has arrived no
 * more of it is read.
 */
export const MOST_WHOLE = 64 * 1024 - 1

const NOTHING = Buffer.alloc(0)

/** The worker that takes it. Called from inside the core. */
export interface LineTaker {
  isHere(): boolean
  /** Whether anything of it may have arrived. */
  mayHaveBegun(line: TakenLine): boolean
  /** It has begun to come. */
  begins(line: TakenLine, pipe: PipeView): void
  /** It is whole, and fit to be handed on. */
  whole(line: TakenLine): void
  /** It is not one line, or too long for one, and is for somebody else. */
  unfit(line: TakenLine, pipe: PipeView): void
  /** Nothing comes of it: its wait, or its transfer, is over. */
  aborted(line: TakenLine, reason: EndReason, pipe: PipeView): void
}

/** A place in a queue for one job, which becomes a line in the response of a worker that gets many. */
export class TakenLine implements Sink {
  readonly isFull = false
  /** Its place in the queue. */
  endpoint: ReceiverEndpoint | undefined
  /** All of it, with its line break, once it is whole. */
  bytes: Uint8Array | undefined
  /** Where it begins in the response; undefined while nothing of it has been written. */
  start: number | undefined
  isConfirmed = false
  #pipe: PipeView | undefined
  /** What has come, with room for a line break behind it. */
  #store = NOTHING
  #length = 0
  #isFit = true

  constructor(readonly taker: LineTaker) {}

  /** It has begun to come. */
  get hasBegun(): boolean {
    return this.#pipe !== undefined
  }

  begin({ length = 0 }: StreamHead, pipe: PipeView): void {
    this.#pipe = pipe
    if (pipe.isLine === true || length <= MOST_WHOLE) this.#store = Buffer.allocUnsafe(length + 1)
    this.taker.begins(this, pipe)
  }

  write(bytes: BorrowedBytes): number {
    if (!this.#isFit) return bytes.length
    const end = indexOfLineFeed(bytes)
    const isOneLine = !this.#endsWithBreak && (end < 0 || end === bytes.length - 1)
    const length = this.#length + bytes.length
    if (isOneLine && (this.#pipe!.isLine === true || length <= MOST_WHOLE)) {
      if (length >= this.#store.length) this.#grow(2 * length)
      this.#store.set(bytes, this.#length)
      this.#length = length
    } else {
      this.#isFit = false
      this.#store = NOTHING
      this.taker.unfit(this, this.#pipe!)
    }
    return bytes.length
  }

  get #endsWithBreak(): boolean {
    return this.#length > 0 && this.#store[this.#length - 1] === LF
  }

  #grow(size: number): void {
    const store = Buffer.allocUnsafe(size)
    this.#store.copy(store, 0, 0, this.#length)
    this.#store = store
  }

  postpone(): void {}

  queued(): number {
    return this.isConfirmed ? 0 : this.#length
  }

  isHere(): boolean {
    return this.taker.isHere()
  }

  hasArrived(): boolean {
    return this.taker.mayHaveBegun(this)
  }

  finish(): boolean {
    if (!this.#isFit) return false
    if (!this.#endsWithBreak) this.#store[this.#length++] = LF
    this.bytes = this.#store.subarray(0, this.#length)
    this.#store = NOTHING
    this.taker.whole(this)
    return false
  }

  /** Nobody asks for a part of a line. */
  refuse(): void {}

  abort(reason: EndReason, pipe: PipeView): void {
    this.taker.aborted(this, reason, pipe)
  }
}
