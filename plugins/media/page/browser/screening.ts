/** One stream on the screen: what has come is played, the picture keeps up with it, and its end is seen. */
import { afterStall, ahead, behind, nextMove, RESERVE } from '../playhead.js'
import { MediaBuffer } from './media-buffer.js'
import type { Bytes, Opening } from './opening.js'

const STEP_MS = 200
const EVENTS = ['timeupdate', 'progress', 'playing', 'pause', 'ended', 'waiting', 'seeked'] as const

export class Screening {
  isLive = false
  /** Playing as near to the live edge as it can be: until the viewer pauses or goes back. */
  isFollowing = true
  hasBegun = false
  isOver = false
  changed: () => void
  readonly #buffer: MediaBuffer
  readonly #closed = new AbortController()
  #reserve = RESERVE
  /** Where this has put the picture; a jump to elsewhere is the viewer's. */
  #ownSeek = Number.NaN
  #isAll = false
  #firstAt = 0

  /** To be called while a click is handled. */
  constructor(
    readonly video: HTMLVideoElement,
    changed: () => void,
  ) {
    this.changed = changed
    this.#buffer = new MediaBuffer(video)
    video.controls = false
    // It plays when there is something; that it may is decided now.
    video.play().catch(() => {})
    const { signal } = this.#closed
    for (const each of EVENTS) video.addEventListener(each, () => this.#step(), { signal })
    video.addEventListener('pause', () => this.#paused(), { signal })
    video.addEventListener('seeking', () => this.#sought(), { signal })
    video.addEventListener('waiting', () => this.#stalled(), { signal })
    const clock = setInterval(() => this.#step(), STEP_MS)
    signal.addEventListener('abort', () => clearInterval(clock))
  }

  /** What the browser says that it cannot play. */
  get error(): string | null {
    return this.video.error?.message ?? null
  }

  get doing(): 'playing' | 'paused' | 'waiting' {
    if (this.video.paused) return 'paused'
    return this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA ? 'waiting' : 'playing'
  }

  /** Seconds behind what has come. */
  get lag(): number {
    return behind({ at: this.video.currentTime, ranges: this.#buffer.ranges })
  }

  get ahead(): number {
    return ahead({ at: this.video.currentTime, ranges: this.#buffer.ranges })
  }

  /** Of the stream, as far as it has been played. */
  get seconds(): number {
    return this.video.currentTime - this.#firstAt
  }

  /** Resolves when all of the stream has come. @throws TypeError when it is cut, Error when it cannot be played */
  async run(
    mime: string,
    isLive: boolean,
    opening: Opening,
    reader: ReadableStreamDefaultReader<Bytes>,
  ): Promise<void> {
    this.isLive = isLive
    await this.#buffer.open(mime, isLive)
    this.video.controls = true
    await this.#buffer.append(opening.bytes)
    for (let over = opening.isAll; !over; ) {
      await this.#buffer.room()
      const { done, value } = await reader.read()
      over = done
      if (value !== undefined) await this.#buffer.append(value)
      this.#step()
    }
    this.#isAll = true
    this.#buffer.finish()
  }

  toEdge(): void {
    this.isFollowing = true
    this.#seek(this.video.currentTime + Math.max(0, this.lag - this.#reserve))
    void this.video.play()
  }

  close(): void {
    this.#closed.abort()
    this.video.pause()
    this.video.controls = false
    this.#buffer.close()
  }

  #step(): void {
    const { video } = this
    const follows = this.isLive && this.isFollowing && !this.#isAll
    const move = nextMove({
      at: video.currentTime,
      ranges: this.#buffer.ranges,
      isFollowing: follows,
      hasBegun: this.hasBegun,
      rate: video.playbackRate,
      reserve: this.#reserve,
    })
    if (follows && video.playbackRate !== move.rate) video.playbackRate = move.rate
    if (move.seek !== undefined && !video.seeking) {
      if (!this.hasBegun) this.#firstAt = move.seek
      this.hasBegun = true
      if (Math.abs(video.currentTime - move.seek) > 0.001) this.#seek(move.seek)
    }
    this.isOver = video.ended
    this.changed()
  }

  #seek(to: number): void {
    this.#ownSeek = to
    this.video.currentTime = to
  }

  #sought(): void {
    if (Math.abs(this.video.currentTime - this.#ownSeek) > 0.05) this.isFollowing = this.lag < this.#reserve + 1
  }

  #paused(): void {
    if (!this.video.ended) this.isFollowing = false
  }

  #stalled(): void {
    if (this.hasBegun && this.isLive && !this.#isAll) this.#reserve = afterStall(this.#reserve)
  }
}
