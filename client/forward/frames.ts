/**
 * The bytes of one direction are in frames, so that silence can be filled and an end is told from a cut by whatever passes
 * them on: four bytes, big-endian, with the length of what follows. Two lengths are none.
 */

/** Nothing follows: there are no more bytes in this direction. */
export const END = marker(0)
/** Nothing follows: this side is still there. */
export const STILL_HERE = marker(0xffff_ffff)
/** What nobody sends: the other side speaks something else. */
const LONGEST = 16 * 1024 * 1024

/** What goes before so many bytes. */
export function marker(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** What comes is no stream of frames, or goes on behind its end. */
export class BrokenFrames extends Error {}

/** Takes frames apart, whatever pieces they come in. Nothing is copied. */
export class FrameReader {
  /** The frame that says so has come. */
  isEnded = false
  /** Bytes of the present frame that have not come yet. */
  #left = 0
  #header = 0
  #headerBytes = 0

  /** @param onBytes gets what is carried, in parts of `chunk` @throws BrokenFrames */
  take(chunk: Buffer, onBytes: (bytes: Buffer) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const end = Math.min(chunk.length, at + this.#left)
        this.#left -= end - at
        onBytes(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
        at = end
      } else {
        if (this.isEnded) throw new BrokenFrames('bytes came behind the end')
        this.#header = ((this.#header << 8) | chunk[at++]!) >>> 0
        if (++this.#headerBytes === 4) this.#begin(this.#header)
      }
    }
  }

  #begin(length: number): void {
    this.#header = 0
    this.#headerBytes = 0
    if (length === 0) this.isEnded = true
    else if (length <= LONGEST) this.#left = length
    else if (length !== 0xffff_ffff) throw new BrokenFrames('what comes is not what a forward sends')
  }
}
