import { close, closeSync, constants, futimesSync, openSync, writeSync, writev } from 'node:fs'
import { promisify } from 'node:util'
import { asSeconds } from './entry.js'

/** No link is followed and nothing that is there is written to. */
const AS_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** Bytes that are collected for one call. */
const JOINED = 1 << 20

const writeMany = promisify(writev)
const closeLater = promisify(close)

/** A new file with this content, in few calls that do not wait for other threads: for files that are small and here. */
export function writeSmallFile(path: string, content: Buffer, mode: number, mtimeMs: number): void {
  const file = openSync(path, AS_NEW, mode)
  try {
    for (let written = 0; written < content.length; ) written += writeSync(file, content, written)
    setTime(file, mtimeMs)
  } finally {
    closeSync(file)
  }
}

/** A new file that is written piece by piece: one call is under way while the pieces for the next one are collected. */
export class FileWriter {
  readonly #file: number
  #pieces: Buffer[] = []
  #collected = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, mode: number) {
    this.#file = openSync(path, AS_NEW, mode)
  }

  /** Waits when a call's worth has been collected while the last one is still under way. Keeps the piece. */
  async write(piece: Buffer): Promise<void> {
    this.#pieces.push(piece)
    this.#collected += piece.length
    if (this.#collected >= JOINED) await this.#flush()
  }

  async #flush(): Promise<void> {
    await this.#writing
    const pieces = this.#pieces
    this.#pieces = []
    this.#collected = 0
    this.#writing = writeAll(this.#file, pieces)
    // It is looked at with the next call; until then it has failed unobserved.
    this.#writing.catch(() => {})
  }

  /** All is written, and the file has its time. */
  async finish(mtimeMs: number): Promise<void> {
    if (this.#collected > 0) await this.#flush()
    await this.#writing
    setTime(this.#file, mtimeMs)
    await closeLater(this.#file)
  }

  /** Gives the file up as it is. */
  async abandon(): Promise<void> {
    await this.#writing.catch(() => {})
    await closeLater(this.#file).catch(() => {})
  }
}

async function writeAll(file: number, pieces: Buffer[]): Promise<void> {
  let left = pieces.filter((piece) => piece.length > 0)
  while (left.length > 0) {
    let { bytesWritten } = await writeMany(file, left)
    const first = left.findIndex((piece) => {
      if (piece.length > bytesWritten) return true
      bytesWritten -= piece.length
      return false
    })
    left = first === -1 ? [] : left.slice(first)
    if (left.length > 0) left[0] = left[0]!.subarray(bytesWritten)
  }
}

function setTime(file: number, mtimeMs: number): void {
  futimesSync(file, asSeconds(mtimeMs), asSeconds(mtimeMs))
}
