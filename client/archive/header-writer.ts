import type { Entry, EntryKind } from './entry.js'
import { BLOCK, encode, fitsLink, MOST_OCTAL, padding, splitName } from './ustar.js'

/** The end of an archive: two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK)

const TYPES: Readonly<Record<EntryKind, string>> = { file: '0', 'hard link': '1', link: '2', folder: '5' }

/**
 * Writes headers: a block in the ustar format, which every tar reads. What does not fit there (a long or non-ASCII name, more
 * than 8 GiB, a fraction of a second, a time before 1970) stands in a PAX header before it.
 */
export class HeaderWriter {
  /** A PAX header, its records, and the block of the entry. */
  #memory = Buffer.allocUnsafeSlow(4 * BLOCK)
  /** Bytes of the records that the first block speaks of. */
  #records = 0

  /** The header of an entry, as a number of blocks. They are overwritten by the next call. */
  write(entry: Entry): Buffer {
    // A folder ends in a slash, for readers that know no other sign of it.
    const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path
    const split = isAscii(path) ? splitName(path) : undefined
    const records = recordsOf(entry, path, split !== undefined)
    const block = this.#block(records)
    encode(block, {
      name: split?.name ?? path,
      prefix: split?.prefix ?? '',
      mode: entry.mode,
      size: entry.size,
      // For those who do not read the PAX header; their field has no sign.
      mtime: Math.min(MOST_OCTAL, Math.max(0, Math.floor(entry.mtimeMs / 1000))),
      type: TYPES[entry.kind],
      link: entry.target,
    })
    return records === '' ? block : this.#memory.subarray(0, block.byteOffset + BLOCK)
  }

  /** Writes the PAX header, if there are records for it. @returns the memory behind it, for the block of the entry */
  #block(records: string): Buffer {
    const length = Buffer.byteLength(records)
    const before = BLOCK + length + padding(length)
    if (this.#memory.length < before + BLOCK) {
      this.#memory = Buffer.allocUnsafeSlow(before + BLOCK)
      this.#records = 0
    }
    const memory = this.#memory
    if (length > 0) {
      // Most files need a record for their time and nothing else: it is always as long, and its block stays as it is.
      if (length !== this.#records) encode(memory.subarray(0, BLOCK), { ...PAX_HEADER, size: length })
      this.#records = length
      memory.write(records, BLOCK)
      memory.fill(0, BLOCK + length, before)
    }
    return memory.subarray(before, before + BLOCK)
  }
}

const PAX_HEADER = { name: 'PaxHeader', prefix: '', mode: 0o644, size: 0, mtime: 0, type: 'x', link: '' }

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}

/** What the block cannot say, as PAX records. */
function recordsOf({ size, mtimeMs, target }: Entry, path: string, fits: boolean): string {
  let records = fits ? '' : record('path', path)
  if (target !== '' && !(isAscii(target) && fitsLink(target))) records += record('linkpath', target)
  if (size > MOST_OCTAL) records += record('size', String(size))
  const seconds = mtimeMs / 1000
  if (!(Number.isInteger(seconds) && seconds >= 0 && seconds <= MOST_OCTAL)) records += record('mtime', String(seconds))
  return records
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(value) + key.length + 3
  const digits = String(rest + String(rest).length).length
  return `${rest + digits} ${key}=${value}\n`
}
