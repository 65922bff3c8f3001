import type { BorrowedBytes, EndReason, PipeView, ReceiverEndpoint, Sink } from '../../../../core/index.js'
import { LF } from '../../../stream/topic/line-breaks.js'

/**
 * So long a job may be that is no line of an upload, in bytes, for a worker that takes lines. As long as nothing of a job has arrived no
 * more of it is read.
 */
export const MOST_WHOLE = 64 * 1024 - 1

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
  #parts: Uint8Array[] = []
  #length = 0
  #isFit = true

  constructor(readonly taker: LineTaker) {}

  /** It has begun to come. */
  get hasBegun(): boolean {
    return this.#pipe !== undefined
  }

  begin(_head: unknown, pipe: PipeView): void {
    this.#pipe = pipe
    this.taker.begins(this, pipe)
  }

  write(bytes: BorrowedBytes): number {
    if (!this.#isFit) return bytes.length
    const isOneLine = !this.#endsWithBreak && !bytes.subarray(0, -1).includes(LF)
    this.#length += bytes.length
    if (isOneLine && (this.#pipe!.isLine === true || this.#length <= MOST_WHOLE)) {
      this.#parts.push(Buffer.from(bytes))
    } else {
      this.#isFit = false
      this.#parts = []
      this.taker.unfit(this, this.#pipe!)
    }
    return bytes.length
  }

  get #endsWithBreak(): boolean {
    return this.#parts.at(-1)?.at(-1) === LF
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
    if (!this.#endsWithBreak) this.#parts.push(LINE_BREAK)
    this.bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    this.#parts = []
    this.taker.whole(this)
    return false
  }

  /** Nobody asks for a part of a line. */
  refuse(): void {}

  abort(reason: EndReason, pipe: PipeView): void {
    this.taker.aborted(this, reason, pipe)
  }
}

const LINE_BREAK = Buffer.from([LF])
