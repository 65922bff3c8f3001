import { close, closeSync, constants, futimesSync, openSync, rmSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { codeOf } from './archive-error.js'
import { asSeconds } from './entry.js'

/** No link is followed and nothing that is there is written to. */
const AS_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

const writeLater = promisify(write)
const closeLater = promisify(close)

/**
 * A new file with this content, in few calls that do not wait for other threads: for files that are small and here.
 * @returns false when there is something of that name
 */
export function makeSmallFile(path: string, content: Buffer, mode: number, mtimeMs: number): boolean {
  const file = openAsNew(path, mode)
  if (file === undefined) return false
  let isWhole = false
  try {
    for (let written = 0; written < content.length; ) written += writeSync(file, content, written)
    setTime(file, mtimeMs)
    isWhole = true
  } finally {
    closeSync(file)
    if (!isWhole) rmSync(path, { force: true })
  }
  return true
}

function openAsNew(path: string, mode: number): number | undefined {
  try {
    return openSync(path, AS_NEW, mode)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined
    throw error
  }
}

/** A new file that is written piece by piece: one call is under way while the piece for the next one comes. */
export class FileWriter {
  readonly #file: number
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, mode: number) {
    this.#file = openSync(path, AS_NEW, mode)
  }

  /** Resolves when the piece before this one has been written: two are in use at most. */
  async write(piece: Buffer): Promise<void> {
    await this.#writing
    this.#writing = writeAll(this.#file, piece)
    // It is looked at with the next call; until then it has failed unobserved.
    this.#writing.catch(() => {})
  }

  /** All is written, and the file has its time. */
  async finish(mtimeMs: number): Promise<void> {
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

async function writeAll(file: number, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; ) {
    const { bytesWritten } = await writeLater(file, piece, at, piece.length - at, null)
    at += bytesWritten
  }
}

function setTime(file: number, mtimeMs: number): void {
  futimesSync(file, asSeconds(mtimeMs), asSeconds(mtimeMs))
}
