/**
 * A second reader of WebM, for tests: it has the whole stream before it, goes down into elements by recursion, computes with
 * BigInt, and copies headers by concatenation. It shares nothing with the one of the core but the numbers of elements.
 */
import * as id from '../../../core/live/ebml-ids.js'
import type { Reading } from './reading.js'

/** The stream ends in the middle of something. */
class More extends Error {
  /** Where the head begins of which only a part is there. */
  headFrom: number | undefined
}
class Broken extends Error {}

interface Element {
  readonly what: number
  readonly from: number
  readonly content: number
  /** The end of the content, or of what it is in when the size is unknown. */
  readonly end: number
  readonly isOpen: boolean
}

interface Found {
  clusters: number[]
  entries: [number, number][]
  headers: string[]
  header: string | undefined
  undecided: number | undefined
  state: string
}

const BESIDE_CLUSTERS = new Set([
  id.SEEK_HEAD,
  id.INFO,
  id.TRACKS,
  id.CLUSTER,
  id.CUES,
  id.ATTACHMENTS,
  id.CHAPTERS,
  id.TAGS,
])
const LEFT_OUT = new Set([id.SEEK_HEAD, id.CUES, id.CRC_32, id.VOID, id.ATTACHMENTS])
/** Nothing that a test makes is longer. */
const FAR = 2 ** 40

export function readWhole(stream: Buffer): Omit<Reading, 'fault'> & { readonly isBroken: boolean } {
  const found: Found = {
    clusters: [],
    entries: [],
    headers: [],
    header: undefined,
    undecided: undefined,
    state: 'unknown',
  }
  let isBroken = false
  try {
    if (!stream.subarray(0, 4).equals(Buffer.from('1a45dfa3', 'hex').subarray(0, stream.length))) throw new Broken()
    let at = 0
    while (at < stream.length) at = document(stream, at, found)
  } catch (cause) {
    if (cause instanceof Broken) isBroken = true
    else if (cause instanceof More) found.undecided ??= cause.headFrom
    else throw cause
  }
  const { clusters, entries, headers, header, undecided, state } = found
  return {
    isBroken,
    state: isBroken ? 'plain' : state,
    undecided: isBroken ? undefined : undecided,
    clusters,
    entries,
    headers,
    header: isBroken ? undefined : header,
  }
}

/** An EBML header and its Segment. Returns where the next begins. */
function document(stream: Buffer, from: number, found: Found): number {
  let at = from
  let header: Buffer | undefined
  for (;;) {
    const next = headAt(stream, at, FAR)
    if (next.what === id.EBML) {
      checkEbml(stream, next)
      if (found.state === 'unknown' || found.state === 'clusters') found.state = 'header'
      header = stream.subarray(next.from, next.end)
      at = next.end
    } else if (next.what === id.VOID) at = passed(stream, next)
    else if (next.what === id.SEGMENT && header !== undefined) return segment(stream, next, header, found)
    else throw new Broken()
  }
}

function checkEbml(stream: Buffer, header: Element): void {
  let docType = ''
  mustBeClosed(header)
  for (const child of childrenOf(stream, header)) {
    const value = [id.DOC_TYPE, id.EBML_READ_VERSION, id.EBML_MAX_ID_LENGTH, id.EBML_MAX_SIZE_LENGTH].includes(
      child.what,
    )
      ? firstBytesOf(stream, child)
      : undefined
    if (child.what === id.DOC_TYPE) {
      docType = value!.toString('latin1').replace(/\0+$/, '')
      if (docType !== 'webm' && docType !== 'matroska') throw new Broken()
    } else if (value !== undefined) {
      if (value.length > 8) throw new Broken()
      const most = child.what === id.EBML_READ_VERSION ? 1n : child.what === id.EBML_MAX_ID_LENGTH ? 4n : 8n
      if (BigInt(`0x0${value.toString('hex')}`) > most) throw new Broken()
    }
    passed(stream, child)
  }
  if (docType === '') throw new Broken()
}

function segment(stream: Buffer, whole: Element, ebml: Buffer, found: Found): number {
  const header = [ebml, Buffer.from('1853806701ffffffffffffff', 'hex')]
  let isTold = false
  let video: bigint | undefined
  let index = -1
  let isBegun = false
  let at = whole.content
  while (at !== whole.end) {
    const child = headAt(stream, at, whole.end)
    at = child.end
    if (child.what === id.EBML || child.what === id.SEGMENT) {
      if (!whole.isOpen) throw new Broken()
      return child.from
    }
    if (child.what === id.CLUSTER) {
      if (!isTold) throw new Broken()
      if (!isBegun) found.header = Buffer.concat(header).toString('hex')
      isBegun = true
      found.state = 'clusters'
      found.clusters.push(child.from)
      const entry = () => {
        if (index < 0) index = found.headers.push(found.header!) - 1
        found.entries.push([child.from, index])
        found.undecided = undefined
      }
      found.undecided = child.from
      if (video === undefined) entry()
      at = cluster(stream, child, video, entry, found)
      found.undecided = undefined
    } else if (child.what === id.TRACKS && !isBegun) {
      mustBeClosed(child)
      for (const entry of childrenOf(stream, child)) {
        if (entry.what === id.TRACK_ENTRY) {
          const number = trackOf(stream, entry)
          isTold = true
          video ??= number
        } else passed(stream, entry)
      }
      header.push(stream.subarray(child.from, child.end))
    } else {
      passed(stream, child)
      if (!isBegun && !LEFT_OUT.has(child.what)) header.push(stream.subarray(child.from, child.end))
    }
  }
  return at
}

/** The number of a track if it is video. */
function trackOf(stream: Buffer, entry: Element): bigint | undefined {
  mustBeClosed(entry)
  let number = 0n
  let type = 0n
  for (const child of childrenOf(stream, entry)) {
    if (child.what === id.TRACK_NUMBER || child.what === id.TRACK_TYPE) {
      const bytes = firstBytesOf(stream, child)
      if (bytes.length > 8) throw new Broken()
      const value = BigInt(`0x0${bytes.toString('hex')}`)
      if (child.what === id.TRACK_NUMBER) number = value
      else type = value
    }
    passed(stream, child)
  }
  return type === 1n ? number : undefined
}

function cluster(stream: Buffer, whole: Element, video: bigint | undefined, entry: () => void, found: Found): number {
  let at = whole.content
  while (at !== whole.end) {
    const child = headAt(stream, at, whole.end)
    if (BESIDE_CLUSTERS.has(child.what) || child.what === id.EBML || child.what === id.SEGMENT) {
      if (!whole.isOpen) throw new Broken()
      return child.from
    }
    const isOfInterest = found.undecided !== undefined
    if (isOfInterest && child.what === id.SIMPLE_BLOCK) {
      const { track, flags } = blockOf(firstBytesOf(stream, child))
      if (video === track) {
        if (flags & 0x80) entry()
        found.undecided = undefined
      }
    } else if (isOfInterest && child.what === id.BLOCK_GROUP) {
      mustBeClosed(child)
      let isVideo = false
      let isKey = true
      for (const part of childrenOf(stream, child)) {
        if (part.what === id.BLOCK) isVideo = blockOf(firstBytesOf(stream, part)).track === video
        if (part.what === id.REFERENCE_BLOCK) isKey = false
        passed(stream, part)
      }
      if (isVideo && isKey) entry()
      if (isVideo) found.undecided = undefined
      at = child.end
      continue
    }
    at = passed(stream, child)
  }
  return at
}

function blockOf(bytes: Buffer): { track: bigint; flags: number } {
  const length = bytes.length === 0 ? 9 : lengthOf(bytes[0]!)
  if (length > 8 || bytes.length < length + 3) throw new Broken()
  return { track: numberAt(bytes, 0, length), flags: bytes[length + 2]! }
}

function* childrenOf(stream: Buffer, { content, end }: Element): Generator<Element> {
  for (let at = content; at !== end; ) {
    const child = headAt(stream, at, end)
    yield child
    at = child.end
  }
}

function headAt(stream: Buffer, from: number, most: number): Element {
  try {
    return wholeHeadAt(stream, from, most)
  } catch (cause) {
    if (cause instanceof More && from < stream.length) cause.headFrom = from
    throw cause
  }
}

function wholeHeadAt(stream: Buffer, from: number, most: number): Element {
  const first = byteAt(stream, from)
  const idLength = lengthOf(first)
  if (idLength > 4) throw new Broken()
  byteAt(stream, from + idLength - 1)
  const value = numberAt(stream, from, idLength)
  if (value === 0n || value === 2n ** BigInt(7 * idLength) - 1n) throw new Broken()
  const sizeAt = from + idLength
  const sizeLength = lengthOf(byteAt(stream, sizeAt))
  if (sizeLength > 8) throw new Broken()
  byteAt(stream, sizeAt + sizeLength - 1)
  const size = numberAt(stream, sizeAt, sizeLength)
  const isOpen = size === 2n ** BigInt(7 * sizeLength) - 1n
  const content = sizeAt + sizeLength
  const end = isOpen ? BigInt(most) : BigInt(content) + size
  if (content > most || (most !== FAR && end > BigInt(most))) throw new Broken()
  const what = stream.readUIntBE(from, idLength)
  return { what, from, content, end: Number(end), isOpen }
}

/** The first bytes of an element, 16 at most, when they are all there. */
function firstBytesOf(stream: Buffer, child: Element): Buffer {
  mustBeTrue(child)
  const to = Math.min(child.end, child.content + 16)
  if (to > stream.length) throw new More()
  return stream.subarray(child.content, to)
}

/** Where it ends, if it is there. */
function passed(stream: Buffer, child: Element): number {
  mustBeTrue(child)
  if (child.end > stream.length) throw new More()
  return child.end
}

function mustBeClosed({ isOpen }: Element): void {
  if (isOpen) throw new Broken()
}

/** Before all of its bytes are asked for. */
function mustBeTrue({ isOpen, content, end }: Element): void {
  if (isOpen || end - content > 2 ** 32) throw new Broken()
}

function lengthOf(first: number): number {
  return first === 0 ? 9 : 8 - Math.floor(Math.log2(first))
}

function numberAt(bytes: Buffer, from: number, length: number): bigint {
  const all = BigInt(`0x${bytes.toString('hex', from, from + length)}`)
  return BigInt.asUintN(7 * length, all)
}

function byteAt(stream: Buffer, at: number): number {
  const byte = stream[at]
  if (byte === undefined) throw new More()
  return byte
}
