import { CR, indexOfLineFeed } from './line-breaks.js'

const NOTHING = Buffer.alloc(0)
/** A store that has become larger is given up when it is empty. */
const SMALL = 64 * 1024

/** Takes a line, lent for the call. False: no more of them for now. */
export type TakeLine = (line: Uint8Array) => boolean

/**
 * Finds the lines in an upload, wherever that is cut. A line ends with LF or CRLF, which is no part of it; the last one may end with
 * the upload. What is not given out yet is kept: the beginning of a line, or what follows one that has to wait.
 */
export class UploadLines {
  #store = NOTHING
  /** What is kept is from here to there. */
  #from = 0
  #to = 0
  /** Up to here there is no line break. */
  #searched = 0

  /** Bytes that are kept. */
  get kept(): number {
    return this.#to - this.#from
  }

  /** @param bytes lent for the call */
  feed(bytes: Uint8Array, take: TakeLine): void {
    if (this.kept > 0) {
      this.keep(bytes)
      this.goOn(take)
      return
    }
    this.#from = this.#to = this.#searched = 0
    const from = giveOut(bytes, 0, 0, take)
    if (from < bytes.length) this.keep(bytes.subarray(from))
  }

  /** Gives out the lines that are kept. */
  goOn(take: TakeLine): void {
    let isStopped = false
    const kept = this.#store.subarray(0, this.#to)
    this.#from = giveOut(kept, this.#from, this.#searched, (line) => {
      isStopped = !take(line)
      return !isStopped
    })
    this.#searched = isStopped ? this.#from : this.#to
    if (this.kept === 0 && this.#store.length > SMALL) this.#store = NOTHING
  }

  /** What is left behind the last line break; undefined when nothing is. */
  end(): Uint8Array | undefined {
    const rest = this.#store.subarray(this.#from, this.#to)
    this.#from = this.#to
    return rest.length === 0 ? undefined : rest
  }

  /** Keeps bytes that follow, and gives out nothing. */
  keep(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#store.length) this.#makeRoom(bytes.length)
    this.#store.set(bytes, this.#to)
    this.#to += bytes.length
  }

  /** Moves what is kept to the front, of a larger store if need be. */
  #makeRoom(bytes: number): void {
    const { kept } = this
    const isEnough = kept + bytes <= this.#store.length / 2
    const store = isEnough ? this.#store : Buffer.allocUnsafe(2 * (kept + bytes))
    this.#store.copy(store, 0, this.#from, this.#to)
    this.#store = store
    this.#searched -= Math.min(this.#searched, this.#from)
    this.#from = 0
    this.#to = kept
  }
}

/** Returns where the lines end that have been taken. */
function giveOut(all: Uint8Array, from: number, searched: number, take: TakeLine): number {
  let at = from
  for (;;) {
    const end = indexOfLineFeed(all, Math.max(at, searched))
    if (end < 0) return at
    const line = all.subarray(at, end > at && all[end - 1] === CR ? end - 1 : end)
    at = end + 1
    if (!take(line)) return at
  }
}
