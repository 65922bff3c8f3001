import { linkSync, lstatSync, lutimesSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { ArchiveError, asArchiveError, codeOf, quoted } from './archive-error.js'
import type { ByteSource } from './byte-source.js'
import { asSeconds, type Entry, wholeMilliseconds } from './entry.js'
import { FileWriter, makeSmallFile } from './file-writer.js'
import { cutOff } from './header-reader.js'
import type { UnpackOptions } from './options.js'
import { incomingName } from './part-folder.js'
import type { Place } from './place.js'
import { padding } from './ustar.js'

/** Up to here a file is collected before it is made, and written at once. */
const SMALL = 1 << 18

/** What folders get when all is in them: their bits, and their time if the archive says one. */
export type Folders = Map<string, { readonly mode: number; readonly mtimeMs: number | undefined }>

/** What an archive had in it. */
export interface Unpacked {
  readonly files: number
  /** Of these, the ones that were there whole from the last time. */
  readonly filesKept: number
  readonly folders: number
  readonly links: number
  /** Bytes of content. */
  readonly bytes: number
}

/** Makes the files, folders and links of entries that have been looked at. */
export class Unpacker {
  readonly #place: Place
  readonly #source: ByteSource
  readonly #folders: Folders
  readonly #options: UnpackOptions
  /** The folder of the last entry: its own folders are known. */
  #lastFolder = ''
  #files = 0
  #filesKept = 0
  #links = 0
  #bytes = 0
  #incoming = 0

  constructor(place: Place, source: ByteSource, folders: Folders, options: UnpackOptions) {
    this.#place = place
    this.#source = source
    this.#folders = folders
    this.#options = options
    folders.set('', { mode: 0o777, mtimeMs: undefined })
  }

  get result(): Unpacked {
    const [files, filesKept, folders, links] = [this.#files, this.#filesKept, this.#folders.size, this.#links]
    return { files, filesKept, folders, links, bytes: this.#bytes }
  }

  /** Makes what an entry says, and reads its content. */
  async put(entry: Entry): Promise<void> {
    try {
      this.#noteFolders(entry)
      if (entry.kind === 'file') await this.#putFile(entry)
      else if (entry.kind === 'link') this.#putLink(entry)
      else if (entry.kind === 'hard link') this.#putHardLink(entry)
      else this.#putFolder(entry)
    } catch (error) {
      throw asArchiveError(error, 'cannot be written', entry.path)
    }
  }

  #putFolder({ path, mode, mtimeMs }: Entry): void {
    this.#place.enter(path)
    this.#folders.set(path, { mode, mtimeMs })
  }

  /** Folders that no entry is about have been made all the same. */
  #noteFolders({ path }: Entry): void {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (folder === this.#lastFolder) return
    this.#lastFolder = folder
    for (let end = folder.length; end > 0; end = folder.lastIndexOf('/', end - 1)) {
      const each = folder.slice(0, end)
      if (!this.#folders.has(each)) this.#folders.set(each, { mode: 0o777, mtimeMs: undefined })
    }
  }

  async #putFile(entry: Entry): Promise<void> {
    const { size } = entry
    if (this.#options.resume && this.#isWhole(entry)) {
      await this.#skip(size + padding(size))
      this.#filesKept++
      this.#told(size)
    } else if (size <= SMALL) await this.#putSmallFile(entry)
    else await this.#putLargeFile(entry)
    this.#files++
    this.#told(0)
  }

  async #putSmallFile({ path, size, mode, mtimeMs }: Entry): Promise<void> {
    const blocks = size + padding(size)
    if (!this.#source.has(blocks) && !(await this.#source.fill(blocks))) throw cutOff()
    const content = this.#source.take(size)
    const at = this.#place.at(path)
    // Under its name at once: one of which a part was written has another size, or not its time, and is no whole one to who resumes.
    if (!makeSmallFile(at, content, mode, mtimeMs)) this.#replace(at, content, mode, mtimeMs)
    this.#source.take(padding(size))
    this.#told(size)
  }

  /** There is something of this name: what came the last time, or an earlier entry. */
  #replace(at: string, content: Buffer, mode: number, mtimeMs: number): void {
    const incoming = this.#nextIncoming()
    try {
      makeSmallFile(incoming, content, mode, mtimeMs)
      renameSync(incoming, at)
    } catch (error) {
      rmSync(incoming, { force: true })
      throw error
    }
  }

  async #putLargeFile({ path, size, mode, mtimeMs }: Entry): Promise<void> {
    const incoming = this.#nextIncoming()
    const writer = new FileWriter(incoming, mode)
    try {
      await this.#copy(size, writer)
      await writer.finish(mtimeMs)
      renameSync(incoming, this.#place.at(path))
    } catch (error) {
      await writer.abandon()
      rmSync(incoming, { force: true })
      throw error
    }
    await this.#skip(padding(size))
  }

  async #copy(size: number, writer: FileWriter): Promise<void> {
    for (let left = size; left > 0; ) {
      if (!this.#source.has(1) && !(await this.#source.fill(1))) throw cutOff()
      const piece = this.#source.takeSome(left)
      left -= piece.length
      await writer.write(piece)
      this.#told(piece.length)
    }
  }

  async #skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      if (!this.#source.has(1) && !(await this.#source.fill(1))) throw cutOff()
      left -= this.#source.takeSome(left).length
    }
  }

  #isWhole({ path, size, mtimeMs }: Entry): boolean {
    const found = lstatSync(this.#place.at(path), { throwIfNoEntry: false })
    return found?.isFile() === true && found.size === size && wholeMilliseconds(found.mtimeMs) === mtimeMs
  }

  #putLink({ path, target, mtimeMs }: Entry): void {
    const at = this.#place.at(path)
    const found = this.#options.resume ? lstatSync(at, { throwIfNoEntry: false }) : undefined
    if (found?.isSymbolicLink() === true && readlinkSync(at) === target) {
      this.#links++
      return
    }
    // What came the last time has been replaced by a link since.
    if (found !== undefined && !found.isDirectory()) rmSync(at)
    try {
      symlinkSync(target, at)
    } catch (error) {
      if (process.platform !== 'win32' || codeOf(error) !== 'EPERM') throw error
      this.#options.warn?.(`${quoted(path)} is a link, which Windows lets you make only as an administrator; left out.`)
      return
    }
    lutimesSync(at, asSeconds(mtimeMs), asSeconds(mtimeMs))
    this.#links++
  }

  #putHardLink({ path, target }: Entry): void {
    const incoming = this.#nextIncoming()
    const first = this.#place.at(target)
    if (!lstatSync(first).isFile()) throw new ArchiveError('is a hard link to what is no file.', path)
    linkSync(first, incoming)
    try {
      renameSync(incoming, this.#place.at(path))
    } finally {
      // Still there when both were names of one file already: then rename does nothing.
      rmSync(incoming, { force: true })
    }
    this.#files++
    this.#told(0)
  }

  #nextIncoming(): string {
    return `${this.#place.root}/${incomingName(this.#incoming++)}`
  }

  #told(bytes: number): void {
    this.#bytes += bytes
    this.#options.progress?.({ files: this.#files, bytes: this.#bytes })
  }
}
