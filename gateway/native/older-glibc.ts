/**
 * The engine's binaries for Linux are built where glibc is 2.38. All that they ask for of it are two or three functions that
 * read numbers, by the names that the compiler gave them there (`__isoc23_strtol` for `strtol`): older glibcs have the same
 * functions by their plain names. So a copy of the binary that asks for those runs with glibc 2.36 as well.
 */

const NEWER = 'GLIBC_2.38'
const PREFIX = '__isoc23_'

/** What the linker's message looks like when only this stands between a binary and an older glibc. */
export function needsNewerGlibc(message: string): boolean {
  return message.includes(`\`${NEWER}' not found`)
}

/** Parts of an ELF file for 64 bits, little-endian, and its dynamic section. */
const LOAD = 1
const DYNAMIC = 2
const STRINGS = 5
const SYMBOLS = 6
const GNU_HASH = 0x6ffffef5
const SYMBOL_VERSIONS = 0x6ffffff0
const NEEDED_VERSIONS = 0x6ffffffe
const NEEDED_VERSION_COUNT = 0x6fffffff
const SYMBOL_BYTES = 24

/** A version of a library that the file needs: where it stands, its name, and the number by which symbols refer to it. */
interface NeededVersion {
  readonly at: number
  readonly library: string
  readonly name: string
  readonly number: number
}

/** @throws Error when the file needs more of the newer glibc than has another name in an older one */
export function forOlderGlibc(file: Buffer): Buffer {
  const copy = Buffer.from(file)
  const elf = new Elf(copy)
  const versions = elf.neededVersions().filter(({ library }) => library.startsWith('libc.so'))
  const newer = versions.find(({ name }) => name === NEWER)
  // Where these functions have been since the first glibc for this processor: x64, or else arm64.
  const first =
    versions.find(({ name }) => name === 'GLIBC_2.2.5') ?? versions.find(({ name }) => name === 'GLIBC_2.17')
  if (newer === undefined || first === undefined) throw new Error(`it does not say what it needs of ${NEWER}`)
  for (const symbol of elf.undefinedSymbolsOf(newer.number)) {
    const name = elf.nameAt(symbol.at)
    if (!name.startsWith(PREFIX)) throw new Error(`it needs ${name} of ${NEWER}`)
    // The plain name is the end of the long one.
    copy.writeUInt32LE(copy.readUInt32LE(symbol.at) + PREFIX.length, symbol.at)
    copy.writeUInt16LE(first.number, symbol.versionAt)
  }
  // What nobody refers to any more asks for the first version too: its hash, and its name.
  copy.writeUInt32LE(copy.readUInt32LE(first.at), newer.at)
  copy.writeUInt32LE(copy.readUInt32LE(first.at + 8), newer.at + 8)
  return copy
}

class Elf {
  readonly #segments: { readonly offset: number; readonly address: number; readonly bytes: number }[] = []
  readonly #dynamic = new Map<number, number>()

  constructor(readonly file: Buffer) {
    if (file.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error('it is no ELF file for 64 bits')
    let dynamic = { offset: 0, bytes: 0 }
    const [headers, size, count] = [this.#long(0x20), file.readUInt16LE(0x36), file.readUInt16LE(0x38)]
    for (let at = headers; at < headers + size * count; at += size) {
      const segment = { offset: this.#long(at + 8), address: this.#long(at + 16), bytes: this.#long(at + 32) }
      if (file.readUInt32LE(at) === LOAD) this.#segments.push(segment)
      if (file.readUInt32LE(at) === DYNAMIC) dynamic = segment
    }
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 16) {
      this.#dynamic.set(this.#long(at), this.#long(at + 8))
    }
  }

  neededVersions(): NeededVersion[] {
    const found: NeededVersion[] = []
    let library = this.#table(NEEDED_VERSIONS)
    for (let left = this.#dynamic.get(NEEDED_VERSION_COUNT) ?? 0; left > 0; left--) {
      let at = library + this.file.readUInt32LE(library + 8)
      for (let versions = this.file.readUInt16LE(library + 2); versions > 0; versions--) {
        const number = this.file.readUInt16LE(at + 6)
        found.push({ at, library: this.nameAt(library + 4), name: this.nameAt(at + 8), number })
        at += this.file.readUInt32LE(at + 12)
      }
      library += this.file.readUInt32LE(library + 12)
    }
    return found
  }

  *undefinedSymbolsOf(version: number): Generator<{ readonly at: number; readonly versionAt: number }> {
    const symbols = this.#table(SYMBOLS)
    const versions = this.#table(SYMBOL_VERSIONS)
    // The hash table has no undefined symbols, so they stand before its first one.
    const count = this.file.readUInt32LE(this.#table(GNU_HASH) + 4)
    for (let i = 0; i < count; i++) {
      const versionAt = versions + 2 * i
      if ((this.file.readUInt16LE(versionAt) & 0x7fff) === version) yield { at: symbols + SYMBOL_BYTES * i, versionAt }
    }
  }

  /** The name to which the four bytes at this place refer. */
  nameAt(at: number): string {
    const start = this.#table(STRINGS) + this.file.readUInt32LE(at)
    return this.file.toString('latin1', start, this.file.indexOf(0, start))
  }

  #long(at: number): number {
    return Number(this.file.readBigUInt64LE(at))
  }

  /** Where in the file the table is that the dynamic section names. */
  #table(kind: number): number {
    const address = this.#dynamic.get(kind) ?? -1
    const segment = this.#segments.find((one) => address >= one.address && address < one.address + one.bytes)
    if (segment === undefined) throw new Error(`it has no table ${kind.toString(16)}`)
    return address - segment.address + segment.offset
  }
}
