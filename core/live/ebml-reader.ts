import type { BorrowedBytes } from '../bytes.js'
import { isAllOnes, uint, vint, vintLength } from './vint.js'

/**
 * What is to be done with an element: `enter` looks at its children, `read` gives its first bytes to `value`, `skip` passes over
 * it, `leave` says that it stands beside the one that is open or above it, which is of unknown size and so has ended, and a
 * string that begins with `!` says what is wrong with it.
 */
export type Decision = 'enter' | 'read' | 'skip' | 'leave' | Fault

/** What is wrong with a stream. */
export type Fault = `!${string}`

export interface EbmlHandler {
  /** Whether the bytes that are read are to be copied. It is asked after `element` has decided. */
  readonly isCopying: boolean
  /**
   * An element begins.
   * @param size of its content in bytes, `Infinity` when it is unknown
   * @param parent the ID of the element that it is in, 0 when that is none
   * @param offset of its first byte in the stream
   */
  element(id: number, size: number, parent: number, offset: number): Decision
  /** The first `length` bytes of an element that is read, all of them unless it has more than 16. Lent for this call. */
  value(id: number, bytes: BorrowedBytes, length: number): Fault | undefined
  /** An element that was entered has ended. */
  end(id: number): Fault | undefined
  /** Bytes from `from` to before `to`, in the order of the stream. Lent for this call. */
  copy(bytes: BorrowedBytes, from: number, to: number): Fault | undefined
}

/** The longest head, an ID of 4 bytes and a size of 8, fits, and all values that anybody needs. */
const SCRATCH_BYTES = 16
const MOST_HEAD_BYTES = 12
/** The deepest element that a handler enters, with the stream itself around all. */
const MOST_LEVELS = 6
/** What is longer than this, and is to be skipped, is a lie: nobody would see another element. */
const MOST_SKIPPED = 2 ** 32

/**
 * Reads the elements of an EBML stream as it passes. It sees every head, and keeps nothing but the one that it is in: what is
 * skipped is counted, not looked at. An element that says it is longer than the one that it is in is a fault, and after a fault
 * nothing more is read.
 */
export class EbmlReader {
  /** What is wrong with the stream. */
  fault: Fault | undefined
  #offset = 0
  /** How many more bytes of an element's content are passed over. */
  #skip = 0
  #reads: 'id' | 'size' | 'value' = 'id'
  readonly #scratch = new Uint8Array(SCRATCH_BYTES)
  #filled = 0
  #need = 1
  #idLength = 0
  /** The element that is read. */
  #id = 0
  /** How much of its content follows what is read of it. */
  #rest = 0
  /** The elements that are open, from the outermost on. The first stands for the stream, which has no end. */
  #level = 0
  readonly #ids = new Array<number>(MOST_LEVELS).fill(0)
  readonly #ends = new Array<number>(MOST_LEVELS).fill(Number.POSITIVE_INFINITY)
  readonly #isOfUnknownSize = new Array<boolean>(MOST_LEVELS).fill(false)

  constructor(readonly handler: EbmlHandler) {}

  /** How much of the stream has been read. */
  get offset(): number {
    return this.#offset
  }

  /** Where the head of an element begins that has come in part; undefined when none has. */
  get headFrom(): number | undefined {
    return this.#reads === 'value' || this.#filled === 0 ? undefined : this.#offset - this.#filled
  }

  feed(bytes: BorrowedBytes): void {
    const from = this.#offset
    const end = bytes.byteLength
    let at = 0
    while (at < end && this.fault === undefined) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, end - at)
        this.fault = this.#copy(bytes, at, at + passed)
        at += passed
        this.#offset = from + at
        this.#skip -= passed
        if (this.#skip === 0) this.fault ??= this.#next()
      } else if (this.#filled === 0 && end - at >= MOST_HEAD_BYTES && this.#reads !== 'value') {
        at = this.#headAt(bytes, at)
      } else {
        this.#scratch[this.#filled++] = bytes[at++]!
        this.#offset = from + at
        if (this.#filled === this.#need) this.fault = this.#collected()
      }
    }
  }

  #collected(): Fault | undefined {
    switch (this.#reads) {
      case 'id':
        return this.#gotId()
      case 'size':
        return this.#gotSize()
      case 'value':
        return this.#gotValue()
    }
  }

  #gotId(): Fault | undefined {
    const length = vintLength(this.#scratch[0]!)
    this.#need = length
    if (length <= 4 && this.#filled < length) return
    this.#idLength = length
    this.#reads = 'size'
    this.#need = length + 1
    return idFault(this.#scratch, 0, length)
  }

  #gotSize(): Fault | undefined {
    const length = vintLength(this.#scratch[this.#idLength]!)
    this.#need = this.#idLength + length
    if (length <= 8 && this.#filled < this.#need) return
    return this.#gotHead(this.#scratch, 0, this.#idLength, length)
  }

  /** The same at once: a head that has come in one piece, as nearly all do. Returns where it ends. */
  #headAt(bytes: BorrowedBytes, at: number): number {
    const idLength = vintLength(bytes[at]!)
    this.fault = idFault(bytes, at, idLength)
    if (this.fault !== undefined) return at
    const sizeLength = vintLength(bytes[at + idLength]!)
    this.#offset += idLength + sizeLength
    this.fault = this.#gotHead(bytes, at, idLength, sizeLength)
    return at + idLength + sizeLength
  }

  /** The head of an element is there. */
  #gotHead(bytes: BorrowedBytes, at: number, idLength: number, sizeLength: number): Fault | undefined {
    if (sizeLength > 8) return '!a size of more than 8 bytes'
    const sizeAt = at + idLength
    const isUnknown = isAllOnes(bytes, sizeAt, sizeLength)
    const size = isUnknown ? Number.POSITIVE_INFINITY : vint(bytes, sizeAt, sizeLength)
    this.#id = uint(bytes, at, idLength)
    const begins = this.#offset - idLength - sizeLength
    let decision = this.#decision(size, begins)
    for (; decision === 'leave'; decision = this.#decision(size, begins)) {
      const fault = this.#leave()
      if (fault !== undefined) return fault
    }
    if (decision !== 'enter' && decision !== 'skip' && decision !== 'read') return decision
    const fault = this.#copy(bytes, at, sizeAt + sizeLength)
    if (fault !== undefined) return fault
    if (decision === 'enter') return this.#enter(isUnknown ? this.#ends[this.#level]! : this.#offset + size, isUnknown)
    if (isUnknown) return '!an element of unknown size that has to have one'
    if (size > MOST_SKIPPED) return '!an element that is too long to be true'
    return decision === 'skip' ? this.#pass(size) : this.#read(size)
  }

  #decision(size: number, begins: number): Decision {
    const most = this.#ends[this.#level]!
    if (this.#offset > most || (size !== Number.POSITIVE_INFINITY && this.#offset + size > most))
      return '!an element that is longer than the one that it is in'
    return this.handler.element(this.#id, size, this.#ids[this.#level]!, begins)
  }

  /** What begins here does not belong to the element that is open, which has ended if it may end anywhere. */
  #leave(): Fault | undefined {
    if (!this.#isOfUnknownSize[this.#level]) return '!an element that cannot be in the one that it is in'
    return this.#close()
  }

  #enter(end: number, isUnknown: boolean): Fault | undefined {
    this.#level++
    this.#ids[this.#level] = this.#id
    this.#ends[this.#level] = end
    this.#isOfUnknownSize[this.#level] = isUnknown
    return this.#next()
  }

  #read(size: number): Fault | undefined {
    const length = Math.min(size, SCRATCH_BYTES)
    this.#rest = size - length
    this.#reads = 'value'
    this.#filled = 0
    this.#need = length
    return length === 0 ? this.#gotValue() : undefined
  }

  #gotValue(): Fault | undefined {
    return (
      this.#copy(this.#scratch, 0, this.#filled) ??
      this.handler.value(this.#id, this.#scratch, this.#filled) ??
      this.#pass(this.#rest)
    )
  }

  #pass(bytes: number): Fault | undefined {
    this.#skip = bytes
    this.#filled = 0
    return bytes === 0 ? this.#next() : undefined
  }

  /** An element is over, or has been entered: closes those that end here, and waits for the next. */
  #next(): Fault | undefined {
    this.#reads = 'id'
    this.#filled = 0
    this.#need = 1
    let fault: Fault | undefined
    while (fault === undefined && this.#ends[this.#level] === this.#offset) fault = this.#close()
    return fault
  }

  #close(): Fault | undefined {
    return this.handler.end(this.#ids[this.#level--]!)
  }

  #copy(bytes: BorrowedBytes, from: number, to: number): Fault | undefined {
    return this.handler.isCopying ? this.handler.copy(bytes, from, to) : undefined
  }
}

function idFault(bytes: BorrowedBytes, from: number, length: number): Fault | undefined {
  const isNone = length > 4 || isAllOnes(bytes, from, length) || vint(bytes, from, length) === 0
  return isNone ? '!an ID that is none' : undefined
}
