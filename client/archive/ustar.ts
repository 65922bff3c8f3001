import { isUtf8 } from 'node:buffer'

/** Bytes of a block: a header is one, and content is filled up to whole ones. */
export const BLOCK = 512

/** Most that the eleven octal digits of a size or a time say. */
export const MOST_OCTAL = 0o77777777777

// Where the fields are, and their lengths (POSIX.1-2017, pax, "ustar Interchange Format").
const NAME = 0
const NAME_LENGTH = 100
const MODE = 100
const SIZE = 124
const MTIME = 136
const CHECKSUM = 148
const TYPE = 156
const LINK = 157
const MAGIC = 257
const PREFIX = 345
const PREFIX_LENGTH = 155
/** In the format of Schilling's tar two times and a mark follow a shorter prefix. */
const STAR_PREFIX_LENGTH = 131
const STAR_MARK = 508

/** Bytes behind a content of this size, up to the next block. */
export function padding(size: number): number {
  return -size & (BLOCK - 1)
}

/** A header's fields as they are in its block. */
export interface Ustar {
  readonly name: string
  readonly prefix: string
  readonly mode: number
  /** Bytes. */
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  /** One character: `0` is a file. */
  readonly type: string
  readonly link: string
}

/** What a block of 512 bytes turned out to be. */
export type Decoded = { readonly [Field in keyof Ustar]: Ustar[Field] | undefined } & Pick<Ustar, 'type'>

/**
 * The name as it fits into the two fields, cut before a slash.
 * @param path of ASCII characters
 * @returns undefined when it does not fit
 */
export function splitName(path: string): { name: string; prefix: string } | undefined {
  if (path.length <= NAME_LENGTH) return { name: path, prefix: '' }
  const slash = path.indexOf('/', path.length - NAME_LENGTH - 1)
  // A folder's last slash divides nothing.
  if (slash < 1 || slash > PREFIX_LENGTH || slash >= path.length - 1) return undefined
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) }
}

/** Whether a link's target fits as it is. */
export function fitsLink(target: string): boolean {
  return target.length <= NAME_LENGTH
}

/** What all headers have. User and group are 0, which nobody takes over who is not root and asks for it. */
const TEMPLATE = Buffer.alloc(BLOCK)
TEMPLATE.write('0000000', 108)
TEMPLATE.write('0000000', 116)
TEMPLATE.write('ustar\x0000', MAGIC, 'latin1')
TEMPLATE.write('      \0 ', CHECKSUM)

/** Writes a header. Texts that are too long are cut, for those who read only them. @param into BLOCK bytes, whatever is in them */
export function encode(into: Buffer, { name, prefix, mode, size, mtime, type, link }: Ustar): void {
  into.set(TEMPLATE)
  into.write(name, NAME, NAME_LENGTH)
  if (prefix !== '') into.write(prefix, PREFIX, PREFIX_LENGTH)
  if (link !== '') into.write(link, LINK, NAME_LENGTH)
  octal(into, MODE, 7, mode)
  if (size <= MOST_OCTAL) octal(into, SIZE, 11, size)
  else base256(into, SIZE, size)
  octal(into, MTIME, 11, mtime)
  into[TYPE] = type.charCodeAt(0)
  octal(into, CHECKSUM, 6, checksum(into))
}

/** @param value up to eleven octal digits: more than a 32-bit number has */
function octal(into: Buffer, offset: number, digits: number, value: number): void {
  const split = offset + Math.max(0, digits - 10)
  let low = value % 2 ** 30
  for (let at = offset + digits - 1; at >= split; at--) {
    into[at] = 0x30 + (low & 7)
    low >>>= 3
  }
  if (split > offset) into[offset] = 0x30 + Math.floor(value / 2 ** 30)
}

/** A number that octal digits cannot say, as all tars of today read it: the first bit, and then the bytes of the number. */
function base256(into: Buffer, offset: number, value: number): void {
  into.writeUInt32BE(Math.floor(value / 2 ** 32), offset + 4)
  into.writeUInt32BE(value % 2 ** 32, offset + 8)
  into[offset] = 0x80
}

/** The sum of the bytes, the checksum's own counted as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < CHECKSUM; i++) sum += block[i]!
  for (let i = TYPE; i < BLOCK; i++) sum += block[i]!
  return sum
}

export function isZero(bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

/**
 * Reads a header.
 * @param block BLOCK bytes
 * @returns undefined when the checksum is wrong; a field is undefined when it cannot be read: a number that is none, or is
 * beyond what a JavaScript number holds, a text that is not UTF-8
 */
export function decode(block: Buffer): Decoded | undefined {
  if (number(block, CHECKSUM, 8) !== checksum(block)) return undefined
  return {
    name: text(block, NAME, NAME_LENGTH),
    prefix: prefix(block),
    mode: number(block, MODE, 8),
    size: number(block, SIZE, 12),
    mtime: number(block, MTIME, 12),
    type: block[TYPE] === 0 ? '0' : String.fromCharCode(block[TYPE]!),
    link: text(block, LINK, NAME_LENGTH),
  }
}

function prefix(block: Buffer): string | undefined {
  // "ustar" and a space is the old format of GNU, which has other things there.
  if (block[PREFIX] === 0 || block.toString('latin1', MAGIC, MAGIC + 6) !== 'ustar\0') return ''
  const isStar = block.toString('latin1', STAR_MARK, BLOCK) === 'tar\0'
  return text(block, PREFIX, isStar ? STAR_PREFIX_LENGTH : PREFIX_LENGTH)
}

function text(block: Buffer, offset: number, length: number): string | undefined {
  if (block[offset] === 0) return ''
  let end = offset
  let isAscii = true
  for (; end < offset + length && block[end] !== 0; end++) if (block[end]! > 0x7f) isAscii = false
  if (isAscii) return block.toString('latin1', offset, end)
  return isUtf8(block.subarray(offset, end)) ? block.toString('utf8', offset, end) : undefined
}

/** Octal digits between spaces or zeros, or a number of two's complement behind a set bit; an empty field is 0. */
function number(block: Buffer, offset: number, length: number): number | undefined {
  const first = block[offset]!
  if ((first & 0x80) !== 0) return binary(block, offset, length)
  let at = offset
  const end = offset + length
  while (at < end && block[at] === 0x20) at++
  let value = 0
  for (; at < end && block[at]! >= 0x30 && block[at]! <= 0x37; at++) value = value * 8 + block[at]! - 0x30
  for (; at < end; at++) if (block[at] !== 0 && block[at] !== 0x20) return undefined
  return value
}

function binary(block: Buffer, offset: number, length: number): number | undefined {
  // The first bit only says that this is no octal number; the second one is the sign.
  const isNegative = (block[offset]! & 0x40) !== 0
  let value = isNegative ? -64 + (block[offset]! & 0x3f) : block[offset]! & 0x3f
  for (let i = offset + 1; i < offset + length; i++) value = value * 256 + block[i]!
  return Number.isSafeInteger(value) ? value : undefined
}
