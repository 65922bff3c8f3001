/** Nothing arrives for so long although bytes are on their way: the receiver's machine is full, and its reader has enough to read. */
const PAUSE_MS = 750
/** What arrives for so long without a pause is no lump. */
const EVEN_MS = 3000
/** The speed is that of the last lumps, so many of them. */
const MOST = 4

/** The end of a lump: until then so many bytes have arrived. */
interface Mark {
  readonly time: number
  readonly bytes: number
}

/**
 * A stream that arrives in lumps. A machine that receives tells the sender only now and then that it has room again, and takes all
 * that fits at once; its reader is as fast as one lump in the time until the next. What the first lump was is not known: it has
 * filled the buffers.
 */
export class Lumps {
  isLumpy = false
  readonly #ends: Mark[] = []
  /** When something arrived last, and since when that goes on without a pause. */
  #movedAt: number | undefined
  #evenSince = 0
  #isPaused = false

  /** A sample. @param moved something has arrived since the one before @param inFlight bytes are on their way */
  see(now: number, bytes: number, moved: boolean, inFlight: boolean): void {
    if (moved) {
      if (this.#isPaused || this.#movedAt === undefined) this.#evenSince = now
      this.#isPaused = false
      this.#movedAt = now
      if (this.isLumpy && now - this.#evenSince >= EVEN_MS) this.#forget()
    } else if (inFlight && !this.#isPaused && this.#movedAt !== undefined && now - this.#movedAt >= PAUSE_MS) {
      this.#isPaused = true
      this.isLumpy = true
      this.#ends.push({ time: this.#movedAt, bytes })
      if (this.#ends.length > MOST) this.#ends.shift()
    }
  }

  /** The end of the last lump. */
  get last(): Mark | undefined {
    return this.#ends.at(-1)
  }

  /** Bytes per second; null before the end of the second lump. A pause that is longer than those before makes it less. */
  speed(now: number): number | null {
    const [first] = this.#ends
    const last = this.#ends.at(-1)
    if (first === undefined || last === undefined || first === last) return null
    const lumps = this.#ends.length - 1
    const usual = (last.time - first.time) / lumps
    const ms = last.time - first.time + Math.max(0, now - last.time - usual)
    return Math.round(((last.bytes - first.bytes) / ms) * 1000)
  }

  #forget(): void {
    this.isLumpy = false
    this.#ends.length = 0
  }
}
