import type { BorrowedBytes, OwnedBytes } from '../bytes.js'
import type { Entry, Place } from './entry.js'
import type { Waiting } from './live-cursor.js'
import { WebmReader } from './webm.js'

/** Entries that are closer to each other count as one: the list must stay short, whatever a stream is made of. */
const LEAST_APART = 16 * 1024

/** Where one can begin in a live stream, as far as it has been read and is kept. */
export class EntryPoints {
  readonly #reader = new WebmReader({
    onCluster() {},
    onEntry: (offset, header) => this.#add({ offset, header }),
  })
  readonly #entries: Entry[] = []
  /** The newest, even if it is too close to another one to be in the list. */
  #newest: Entry | undefined

  /** The next bytes of the stream. */
  read(bytes: BorrowedBytes): void {
    this.#reader.feed(bytes)
  }

  /** There are none, and never will be: one place is as good as another. */
  get isPlain(): boolean {
    return this.#reader.state === 'plain'
  }

  /** The stream has parts that can be left out. */
  get hasParts(): boolean {
    return this.#reader.state === 'clusters'
  }

  /** The header, once it is whole. */
  get header(): OwnedBytes | undefined {
    return this.#reader.header
  }

  /** Where a part begins of which is not known yet whether it is an entry. */
  get undecided(): number | undefined {
    return this.#reader.undecided
  }

  /** The first entry at this offset or behind it. */
  atOrAfter(offset: number): Entry | undefined {
    const newest = this.#newest
    if (newest === undefined || newest.offset < offset) return undefined
    return this.#entries.find((entry) => entry.offset >= offset) ?? newest
  }

  /**
   * Where this viewer begins, and with what header; undefined while there is no such place.
   * @param next the next byte that it can have
   */
  placeFor({ cursor, from }: Waiting, next: number): Place | undefined {
    if (this.isPlain) return { offset: next, header: undefined }
    const { header } = this
    return cursor.options.atNextByte && header !== undefined ? { offset: next, header } : this.atOrAfter(from)
  }

  /** Nobody wants what is before this offset any more. */
  release(offset: number): void {
    while (this.#entries.length > 0 && this.#entries[0]!.offset < offset) this.#entries.shift()
  }

  #add(entry: Entry): void {
    this.#newest = entry
    const last = this.#entries.at(-1)
    if (last === undefined || entry.offset - last.offset >= LEAST_APART) this.#entries.push(entry)
  }
}
