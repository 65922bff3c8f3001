/** Makes EBML by hand: elements of known and of unknown size, and the blocks of a Cluster. */
import * as id from '../../../core/live/ebml-ids.js'

/** An element whose size takes the fewest bytes, or `sizeLength` of them. */
export function element(what: number, content: Uint8Array | readonly Uint8Array[], sizeLength?: number): Buffer {
  const bytes = content instanceof Uint8Array ? content : Buffer.concat(content)
  return Buffer.concat([bare(what), size(bytes.length, sizeLength), bytes])
}

/** The head of an element that says it has so many bytes, and what really follows. */
export function lying(what: number, says: number, content: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([bare(what), size(says), content])
}

/** An element of unknown size, which takes `sizeLength` bytes to say. */
export function open(what: number, content: readonly Uint8Array[] = [], sizeLength = 8): Buffer {
  return Buffer.concat([bare(what), unknownSize(sizeLength), ...content])
}

export function bare(what: number): Buffer {
  const hex = what.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

export function number(what: number, value: number): Buffer {
  return element(what, bare(value))
}

function size(bytes: number, length = bytes < 127 ? 1 : bytes < 16383 ? 2 : 8): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(bytes) | (1n << BigInt(7 * length)))
  return out.subarray(8 - length)
}

function unknownSize(length: number): Buffer {
  const out = Buffer.alloc(length, 0xff)
  out[0] = 2 ** (9 - length) - 1
  return out
}

const text = (value: string) => Buffer.from(value)

/** An EBML header as muxers write it. */
export function ebml(docType = 'webm', more: readonly Uint8Array[] = []): Buffer {
  return element(id.EBML, [
    number(0x4286, 1),
    number(id.EBML_READ_VERSION, 1),
    number(id.EBML_MAX_ID_LENGTH, 4),
    number(id.EBML_MAX_SIZE_LENGTH, 8),
    element(id.DOC_TYPE, text(docType)),
    ...more,
  ])
}

export const VIDEO = 1
export const AUDIO = 2

export function track(number_: number, type: number): Buffer {
  return element(id.TRACK_ENTRY, [number(id.TRACK_NUMBER, number_), number(id.TRACK_TYPE, type)])
}

export function tracks(...entries: readonly Uint8Array[]): Buffer {
  return element(id.TRACKS, entries)
}

export const info = element(id.INFO, [element(0x4d80, text('by hand'))])
export const bothTracks = tracks(track(1, VIDEO), track(2, AUDIO))

export interface Block {
  readonly track: number
  readonly isKey?: boolean
  readonly payload?: Uint8Array
  /** How many bytes the track's number takes. */
  readonly trackLength?: number
}

function blockHead({ track, isKey = false, trackLength = 1 }: Block, flags: number): Buffer {
  return Buffer.concat([size(track, trackLength), Buffer.of(0, 7, flags | (isKey ? 0x80 : 0))])
}

export function simple(block: Block): Buffer {
  // Flags of lacing are not looked at.
  return element(id.SIMPLE_BLOCK, [blockHead(block, 0x06), block.payload ?? text('payload')])
}

/** A BlockGroup, which says that its Block is no keyframe by a reference to another one. */
export function group(block: Block): Buffer {
  const { isKey = false, payload } = block
  return element(id.BLOCK_GROUP, [
    element(id.BLOCK, [blockHead({ ...block, isKey: false }, 0), payload ?? text('payload')]),
    number(0x9b, 40),
    ...(isKey ? [] : [element(id.REFERENCE_BLOCK, Buffer.of(0xd8))]),
  ])
}

export const timestamp = number(0xe7, 1000)
export const key = simple({ track: 1, isKey: true })
export const delta = simple({ track: 1 })
export const audio = simple({ track: 2, isKey: true })
