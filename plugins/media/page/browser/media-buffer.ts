/** Media Source Extensions: bytes go in as they come, and are dropped when they have been seen. */
import { ahead, type Range } from '../playhead.js'

/** Seconds: how far the stream is read ahead of the picture, and how much of what has been seen is kept. */
const MOST_AHEAD = 30
const KEPT_BEHIND = 30
/** A live stream goes on while its viewer pauses: so much of it is kept in all. */
const MOST_LIVE = 90
/** What is dropped at a time. */
const PIECE = 10
const MOST_APPENDED = 500_000
const TICK_MS = 250

/** Of Safari on phones, which has no other. */
declare const ManagedMediaSource: typeof MediaSource | undefined

/** Undefined where a browser cannot play what a page gives it. */
export const Source: typeof MediaSource | undefined =
  typeof ManagedMediaSource === 'undefined' ? globalThis.MediaSource : ManagedMediaSource

export class MediaBuffer {
  readonly #source = new Source!()
  readonly #opened: Promise<void>
  readonly #url = URL.createObjectURL(this.#source)
  #buffer: SourceBuffer | undefined
  #isLive = false
  #isClosed = false

  /** To be called while a click is handled: some browsers play with sound only what has been attached then. */
  constructor(readonly video: HTMLVideoElement) {
    video.disableRemotePlayback = true
    this.#opened = new Promise((resolve) => {
      this.#source.addEventListener('sourceopen', () => resolve(), { once: true })
    })
    video.src = this.#url
  }

  /** @throws DOMException for what this browser does not play */
  async open(mime: string, isLive: boolean): Promise<void> {
    await this.#opened
    this.#isLive = isLive
    this.#buffer = this.#source.addSourceBuffer(mime)
  }

  get ranges(): Range[] {
    const found = this.#isClosed ? undefined : this.#buffer?.buffered
    return Array.from({ length: found?.length ?? 0 }, (_, i) => [found!.start(i), found!.end(i)])
  }

  /** Resolves when more should be read: a sender is held back as long as nobody reads. A live one goes on, and the oldest goes. */
  async room(): Promise<void> {
    if (this.#isLive) {
      const { ranges } = this
      const [first, last] = [ranges[0], ranges.at(-1)]
      if (first !== undefined && last![1] - first[0] > MOST_LIVE) await this.#remove(first[0] + PIECE)
      return
    }
    while (!this.#isClosed && ahead({ at: this.video.currentTime, ranges: this.ranges }) > MOST_AHEAD)
      await this.#later()
  }

  /** Resolves when it has been taken in. @throws Error when it cannot be played */
  async append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length; at += MOST_APPENDED) await this.#append(bytes.subarray(at, at + MOST_APPENDED))
    const [first] = this.ranges
    const until = this.video.currentTime - KEPT_BEHIND
    if (first !== undefined && until - first[0] > PIECE) await this.#remove(until)
  }

  /** All has come. */
  finish(): void {
    if (this.#source.readyState === 'open') this.#source.endOfStream()
  }

  close(): void {
    this.#isClosed = true
    this.video.removeAttribute('src')
    this.video.load()
    URL.revokeObjectURL(this.#url)
  }

  async #append(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    while (!this.#isClosed) {
      if (this.video.error !== null) throw new Error(this.video.error.message)
      try {
        this.#buffer!.appendBuffer(piece)
        return await this.#updated()
      } catch (error) {
        if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error
        await this.#makeRoom()
      }
    }
  }

  /** The browser holds no more. */
  async #makeRoom(): Promise<void> {
    const { ranges } = this
    const first = ranges[0]?.[0] ?? 0
    const seen = this.video.currentTime - 1
    if (seen > first) await this.#remove(seen)
    else if (this.#isLive) await this.#remove((first + (ranges.at(-1)?.[1] ?? 0)) / 2)
    else await this.#later()
  }

  async #remove(until: number): Promise<void> {
    if (this.#isClosed || !(until > 0)) return this.#later()
    this.#buffer!.remove(0, until)
    await this.#updated()
  }

  #updated(): Promise<void> {
    const buffer = this.#buffer!
    return new Promise((resolve, reject) => {
      const done = () => {
        buffer.removeEventListener('error', failed)
        resolve()
      }
      const failed = () => {
        buffer.removeEventListener('updateend', done)
        // The element is told a moment later, and more.
        setTimeout(() => reject(new Error(this.video.error?.message || 'This browser cannot decode it.')))
      }
      buffer.addEventListener('updateend', done, { once: true })
      buffer.addEventListener('error', failed, { once: true })
      if (this.#isClosed) done()
    })
  }

  /** When time has passed in the stream, or outside. A hidden page has few ticks, but events. */
  #later(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, TICK_MS)
      const { video } = this
      function done(): void {
        clearTimeout(timer)
        video.removeEventListener('timeupdate', done)
        resolve()
      }
      video.addEventListener('timeupdate', done, { once: true })
    })
  }
}
