/** Does to a source what the core does, watches that the port is kept, and remembers what the source delivered. */

import type { BorrowedBytes, EndReason, PipeView, SenderEvent, Source } from '../../core/index.js'
import { streamBytes } from '../core/fakes/stream-bytes.js'

/** What a source looks at of a pipe. */
export const PIPE = { state: 'streaming', receiversWanted: 3, receiversPresent: 1 } as unknown as PipeView

/** Which stream it is. */
export const STREAM = 12

export class SourceDriver {
  readonly stream: Uint8Array
  /** Bytes delivered so far. */
  fed = 0
  /** Bytes delivered since it was paused, by later calls than the one it was paused in; the most of all pauses. */
  mostAfterPause = 0
  /** Reports but those of bytes, in order. */
  readonly reports: string[] = []
  /** Everything that the port forbids and that has happened. */
  readonly problems: string[] = []
  isPaused = true
  /** Is called in each delivery, as a fan-out that decides. */
  onFeed: () => void = () => {}
  #afterPause = 0
  #inside: string | undefined
  #ended = false
  #isOpened = false

  constructor(
    readonly source: Source,
    bytes: number,
  ) {
    this.stream = streamBytes(STREAM, 0, bytes)
  }

  pause(): void {
    this.isPaused = true
    this.#afterPause = 0
    this.#call('pause', () => this.source.pause())
  }

  resume(): void {
    this.isPaused = false
    this.#call('resume', () => this.source.resume())
  }

  tell(news: SenderEvent): void {
    this.#call('notify', () => this.source.notify(news, PIPE))
  }

  finish(reason: EndReason): void {
    this.#ended = true
    this.#call('end', () => this.source.end(reason, PIPE))
  }

  feed(bytes: BorrowedBytes): void {
    if (this.#inside !== undefined) this.problems.push(`bytes from inside ${this.#inside}()`)
    if (this.reports.length > 0) this.problems.push(`bytes after ${this.reports}`)
    if (bytes.byteLength === 0) this.problems.push('no bytes')
    const expected = this.stream.subarray(this.fed, this.fed + bytes.byteLength)
    if (Buffer.compare(expected, bytes) !== 0)
      this.problems.push(`wrong bytes between ${this.fed} and ${this.fed + bytes.byteLength}`)
    this.fed += bytes.byteLength
    if (this.isPaused) {
      this.#afterPause += bytes.byteLength
      this.mostAfterPause = Math.max(this.mostAfterPause, this.#afterPause)
    }
    this.onFeed()
  }

  /** The head of a stream that is a part of a form. */
  opened(): void {
    if (this.#isOpened || this.fed > 0) this.problems.push('a head that is not the first, or not at first')
    this.#isOpened = true
  }

  end(): void {
    if (this.reports.includes('end')) this.problems.push('the body ended twice')
    if (this.fed !== this.stream.length) this.problems.push(`the body ended after ${this.fed} bytes`)
    this.#report('end')
  }

  left(): void {
    if (this.reports.includes('left')) this.problems.push('left twice')
    // One who was told the end is not asked about any more.
    if (this.#ended) this.problems.push('left after end()')
    this.#report('left')
  }

  broken(): void {
    this.problems.push('a broken body')
  }

  fault(): void {
    this.problems.push('a defect')
  }

  #report(what: string): void {
    if (this.#inside !== undefined) this.problems.push(`${what} from inside ${this.#inside}()`)
    this.reports.push(what)
  }

  #call(name: string, run: () => void): void {
    this.#inside = name
    try {
      run()
    } catch (error) {
      this.problems.push(`${name}() threw: ${error}`)
    } finally {
      this.#inside = undefined
    }
  }
}
