import type { BorrowedBytes, OwnedBytes } from '../bytes.js'
import * as id from './ebml-ids.js'
import type { Decision, EbmlHandler, Fault } from './ebml-reader.js'
import { EntrySearch } from './entry-search.js'
import { HeaderCopy } from './header-copy.js'
import { VideoTrack } from './video-track.js'
import { uint } from './vint.js'

/** A longer header is none that a joiner should be given. */
const MOST_HEADER_BYTES = 1024 * 1024
/** The ID of the Segment, and a size of 8 bytes that says "unknown". */
const OPEN_SEGMENT = Uint8Array.of(0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)

export interface StructureListener {
  /** What the stream says it is can be read, so a Segment may follow. */
  isWebm(): void
  header(header: OwnedBytes): void
  cluster(offset: number): void
  entry(offset: number): void
}

/**
 * What stands where in a WebM or Matroska stream (RFC 9559): an EBML header, a Segment with Info and Tracks, and then Clusters with
 * blocks; and after it perhaps another EBML header.
 */
export class WebmStructure implements EbmlHandler {
  isCopying = false
  readonly search: EntrySearch
  #copy: HeaderCopy | undefined
  #video = new VideoTrack()
  #isDocTypeKnown = false

  constructor(readonly listener: StructureListener) {
    this.search = new EntrySearch((offset) => listener.entry(offset))
  }

  element(what: number, size: number, parent: number, offset: number): Decision {
    switch (parent) {
      case 0:
        return this.#inStream(what, size)
      case id.EBML:
        return isSetting(what) ? 'read' : 'skip'
      case id.SEGMENT:
        return this.#inSegment(what, size, offset)
      case id.TRACKS:
        return what === id.TRACK_ENTRY ? enter(size) : 'skip'
      case id.TRACK_ENTRY:
        return what === id.TRACK_NUMBER || what === id.TRACK_TYPE ? 'read' : 'skip'
      case id.CLUSTER:
        return this.#inCluster(what, size)
      default:
        return this.#inBlockGroup(what)
    }
  }

  value(what: number, bytes: BorrowedBytes, length: number): Fault | undefined {
    switch (what) {
      case id.SIMPLE_BLOCK:
        return this.search.simpleBlock(bytes, length)
      case id.BLOCK:
        return this.search.block(bytes, length)
      case id.DOC_TYPE:
        return this.#docType(bytes, length)
      default:
        return length > 8 ? '!a number of more than 8 bytes' : this.#number(what, uint(bytes, 0, length))
    }
  }

  end(what: number): Fault | undefined {
    switch (what) {
      case id.EBML:
        if (!this.#isDocTypeKnown) return '!an EBML header that does not say of what'
        this.listener.isWebm()
        return
      case id.TRACK_ENTRY:
        this.#video.entryEnds()
        return
      case id.BLOCK_GROUP:
        this.search.groupEnds()
        return
      case id.CLUSTER:
        this.search.clusterEnds()
        return
      case id.SEGMENT:
        this.#copy = undefined
        return
      default:
        return
    }
  }

  copy(bytes: BorrowedBytes, from: number, to: number): Fault | undefined {
    return this.#copy!.add(bytes, from, to) ? undefined : '!a header of more than 1 MiB'
  }

  #inStream(what: number, size: number): Decision {
    switch (what) {
      case id.EBML:
        this.#copy = new HeaderCopy(MOST_HEADER_BYTES)
        this.#video = new VideoTrack()
        this.#isDocTypeKnown = false
        this.isCopying = true
        return enter(size)
      case id.SEGMENT:
        this.isCopying = false
        if (this.#copy === undefined) return '!a Segment without an EBML header'
        return this.copy(OPEN_SEGMENT, 0, OPEN_SEGMENT.length) ?? 'enter'
      case id.VOID:
        this.isCopying = false
        return 'skip'
      default:
        return '!something that is neither a Segment nor an EBML header'
    }
  }

  #inSegment(what: number, size: number, offset: number): Decision {
    switch (what) {
      case id.EBML:
      case id.SEGMENT:
        return 'leave'
      case id.CLUSTER:
        return this.#cluster(offset)
      case id.TRACKS:
        this.isCopying = this.#copy !== undefined
        return this.isCopying ? enter(size) : 'skip'
      default:
        this.isCopying = this.#copy !== undefined && !isLeftOut(what)
        return 'skip'
    }
  }

  #cluster(offset: number): Decision {
    this.isCopying = false
    if (!this.#video.isKnown) return '!a Cluster before any track'
    if (this.#copy !== undefined) this.listener.header(this.#copy.finish())
    this.#copy = undefined
    this.listener.cluster(offset)
    this.search.cluster(offset, this.#video.number)
    return 'enter'
  }

  #inCluster(what: number, size: number): Decision {
    if (id.endsCluster(what)) return 'leave'
    // When it is decided nothing in the Cluster matters any more.
    if (this.search.undecided === undefined) return 'skip'
    if (what === id.SIMPLE_BLOCK) return 'read'
    if (what !== id.BLOCK_GROUP) return 'skip'
    this.search.group()
    return enter(size)
  }

  #inBlockGroup(what: number): Decision {
    if (what === id.REFERENCE_BLOCK) this.search.reference()
    return what === id.BLOCK ? 'read' : 'skip'
  }

  #docType(bytes: BorrowedBytes, length: number): Fault | undefined {
    if (!isText('webm', bytes, length) && !isText('matroska', bytes, length))
      return '!a DocType that is neither webm nor matroska'
    this.#isDocTypeKnown = true
    return
  }

  #number(what: number, value: number): Fault | undefined {
    switch (what) {
      case id.TRACK_NUMBER:
        this.#video.entryNumber = value
        return
      case id.TRACK_TYPE:
        this.#video.entryType = value
        return
      case id.EBML_READ_VERSION:
        return value > 1 ? '!a version of EBML that is not known' : undefined
      case id.EBML_MAX_ID_LENGTH:
        return value > 4 ? '!IDs of more than 4 bytes' : undefined
      default:
        return value > 8 ? '!sizes of more than 8 bytes' : undefined
    }
  }
}

/** Enters an element that has to have a size. */
function enter(size: number): Decision {
  return size === Number.POSITIVE_INFINITY ? '!an element of unknown size that has to have one' : 'enter'
}

/** Whether this element of the EBML header says whether the stream can be read. */
function isSetting(what: number): boolean {
  switch (what) {
    case id.EBML_READ_VERSION:
    case id.EBML_MAX_ID_LENGTH:
    case id.EBML_MAX_SIZE_LENGTH:
    case id.DOC_TYPE:
      return true
    default:
      return false
  }
}

/** Whether a joiner does without this element: it tells of places in the stream, sums it up, or is only large. */
function isLeftOut(what: number): boolean {
  switch (what) {
    case id.SEEK_HEAD:
    case id.CUES:
    case id.CRC_32:
    case id.VOID:
    case id.ATTACHMENTS:
      return true
    default:
      return false
  }
}

/** Whether these bytes are this text, with zeros behind it or not. */
function isText(text: string, bytes: BorrowedBytes, length: number): boolean {
  if (length < text.length) return false
  for (let i = 0; i < length; i++) if (bytes[i] !== (i < text.length ? text.charCodeAt(i) : 0)) return false
  return true
}
