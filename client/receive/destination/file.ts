import { constants } from 'node:fs'
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { asSeconds } from '../../archive/entry.js'
import type { Description } from '../../wire/description.js'

/** So much of what was here before is read at once, in bytes. */
const READ_BYTES = 1_048_576
const { O_CREAT, O_EXCL, O_RDWR } = constants
/** Not on Windows. */
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0

/** A file that is received. It is called `NAME.part` until it has been verified: nothing that is half there looks whole. */
export class FileDestination {
  #writing: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #at: number

  private constructor(
    readonly path: string,
    readonly part: string,
    readonly file: FileHandle,
    from: number,
  ) {
    this.#at = from
  }

  /** How much of it is here from an earlier try, in bytes. */
  static async partBytes(path: string): Promise<number> {
    const there = await lstat(partOf(path)).catch(() => undefined)
    return there?.isFile() ? there.size : 0
  }

  /**
   * @param from the bytes before this offset are kept: they are here from an earlier try
   * @param isOurs whether `NAME.part` may be replaced. Else it may be another program's, or that of a receiver that runs beside this
   * one: then this one takes the next name that is free
   */
  static async open(path: string, from: number, isOurs: boolean): Promise<FileDestination> {
    const part = partOf(path)
    try {
      if (from > 0) return new FileDestination(path, part, await openPart(part, from), from)
      if (isOurs) await unlink(part).catch(ignoreMissing)
      for (let i = 0; ; i++) {
        const free = i === 0 ? part : partOf(numbered(path, i))
        // With O_EXCL nobody's link is followed, either.
        const file = await open(free, O_RDWR | O_CREAT | O_EXCL, 0o600).catch(ignoreTaken)
        if (file !== undefined) return new FileDestination(path, free, file, 0)
      }
    } catch (error) {
      throw new Error(inWords(part, error))
    }
  }

  /** The bytes that were here before. */
  async *before(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (let at = 0; at < this.#at; ) {
      const { bytesRead } = await this.file.read(buffer, 0, Math.min(buffer.length, this.#at - at), at)
      if (bytesRead === 0) throw new Error(`${this.part} has become shorter`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** Resolves when the chunk before this one has been written: two are in use at most. */
  async write(chunk: Buffer): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    this.#writing = this.#put(chunk)
  }

  /** Gives it its name, permissions and time. @param overwrite what is there of that name goes. @returns where it is */
  async commit({ mode, mtime }: Description, overwrite: boolean): Promise<string> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    try {
      await this.file.truncate(this.#at)
      await this.file.chmod((mode ?? 0o666 & ~process.umask()) & 0o777)
      if (mtime !== undefined) await this.file.utimes(new Date(), asSeconds(mtime))
      const { ino } = await this.file.stat()
      // A disk that is full may say so only now.
      await this.file.close()
      const there = await lstat(this.part).catch(() => undefined)
      if (there?.ino !== ino) {
        throw new Error(`${this.part} is no longer what was written: somebody has removed or replaced it meanwhile.`)
      }
      return await named(this.part, this.path, overwrite)
    } catch (error) {
      throw new Error(inWords(this.part, error))
    }
  }

  /** Leaves what there is as `NAME.part`. */
  async leave(): Promise<void> {
    await this.#writing
    await this.file.close().catch(() => {})
  }

  async #put(chunk: Buffer): Promise<void> {
    try {
      // A disk that is nearly full takes a part, and says why with the next write.
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await this.file.write(chunk, at, chunk.length - at, this.#at)
        at += bytesWritten
        this.#at += bytesWritten
      }
    } catch (error) {
      this.#failure = new Error(inWords(this.part, error))
    }
  }
}

function partOf(path: string): string {
  return `${path}.part`
}

/** Moves a whole file to its name, or to the next one that is free: `photo (1).jpg`. */
async function named(part: string, path: string, overwrite: boolean): Promise<string> {
  if (overwrite) {
    await rename(part, path)
    return path
  }
  for (let i = 0; ; i++) {
    const free = i === 0 ? path : numbered(path, i)
    try {
      await moveIfFree(part, free)
      return free
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** `photo (1).jpg` */
function numbered(path: string, i: number): string {
  const extension = extname(path)
  return join(dirname(path), `${basename(path, extension)} (${i})${extension}`)
}

/** What is here from an earlier try, and nobody has changed since it was looked at. */
async function openPart(part: string, bytes: number): Promise<FileHandle> {
  const file = await open(part, O_RDWR | O_NOFOLLOW).catch(() => undefined)
  if (file !== undefined && (await file.stat()).size === bytes) return file
  await file?.close()
  throw new Error(`${part} is not what was to go on: it is gone, or has changed meanwhile. Start again.`)
}

/** @throws with the code EEXIST when somebody has that name */
async function moveIfFree(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
    await unlink(from)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    // A file system without hard links: there is a moment between look and move.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error
    if ((await lstat(to).catch(() => undefined)) !== undefined) throw Object.assign(new Error(), { code: 'EEXIST' })
    await rename(from, to)
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

function ignoreTaken(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EEXIST') throw error
}

function inWords(path: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const words: Readonly<Record<string, string>> = {
    ENOSPC: `The disk is full: ${path} is as far as it came. Make room, and go on with --resume.`,
    EDQUOT: `Your quota is used up: ${path} is as far as it came. Make room, and go on with --resume.`,
    EACCES: `${path} cannot be written: you may not write there.`,
    EROFS: `${path} cannot be written: the disk is read-only.`,
    ENOENT: `${path} cannot be written: there is no such folder.`,
    ENAMETOOLONG: `${path} is too long for a name.`,
    EISDIR: `${path} is a folder.`,
  }
  return words[code] ?? message
}
