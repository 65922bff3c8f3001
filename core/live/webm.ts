import type { BorrowedBytes, OwnedBytes } from '../bytes.js'
import { EbmlReader } from './ebml-reader.js'
import { WebmStructure } from './webm-structure.js'

/** The ID of the EBML header, with which every WebM begins. */
const MAGIC = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3)

/** What `WebmReader` finds. Offsets are those of the stream's bytes, from 0 on. */
export interface WebmListener {
  /** A Cluster begins at this offset: who has all that is before it may leave here. */
  onCluster(offset: number): void
  /**
   * One may begin at this offset, with this header in front. It is that of a Cluster of which `onCluster` has told, and is told
   * as soon as it is known, mostly a few bytes later. Entries with the same header are given the very same object. A stream that
   * begins anew in its midst, as with a recorder that was started again, brings another: who has left under one header and goes
   * on under another needs the latter first.
   */
  onEntry(offset: number, header: OwnedBytes): void
}

/** Whether a stream that begins with these bytes may be WebM or Matroska. Fewer than 4 may turn out to be something else. */
export function isWebm(first: BorrowedBytes): boolean {
  return continues(first, 0)
}

/**
 * Reads a WebM or Matroska stream as it passes, and says where a late joiner can begin: at a Cluster whose first block of video is a
 * keyframe, whatever audio comes before that; without video, at any Cluster. Of several videos the first one counts. It looks at
 * the heads of elements only, and keeps nothing but the header.
 *
 * It never throws. A stream that is no WebM, or breaks its rules, is `plain` from there on, for ever.
 */
export class WebmReader {
  /**
   * `unknown` until the EBML header has said what follows, `header` until the first Cluster begins, and again when another header
   * follows after Clusters; `plain`: the stream's bytes are just bytes.
   */
  state: 'unknown' | 'header' | 'clusters' | 'plain' = 'unknown'
  /**
   * What a late joiner gets first: EBML header, Segment, Info, Tracks, and what else stands before the first Cluster, 1 MiB at most.
   * The Segment in it is of unknown size, whatever it was, since a joiner gets less of it. What tells of places in the stream
   * (SeekHead, Cues) or sums it up (CRC-32) is left out, and so are Attachments and Void. It is the latest that is whole;
   * undefined before that, and when the state is `plain`.
   */
  header: OwnedBytes | undefined
  readonly #structure: WebmStructure
  readonly #reader: EbmlReader

  constructor(listener: WebmListener) {
    this.#structure = new WebmStructure({
      isWebm: () => {
        this.state = 'header'
      },
      header: (header) => {
        this.header = header
        this.state = 'clusters'
      },
      cluster: (offset) => listener.onCluster(offset),
      entry: (offset) => listener.onEntry(offset, this.header!),
    })
    this.#reader = new EbmlReader(this.#structure)
  }

  /**
   * Where a Cluster begins of which it is not known yet whether it is an entry, or of whose head only a part has come. Who waits
   * for an entry needs the stream's bytes from here on.
   */
  get undecided(): number | undefined {
    if (this.state === 'plain') return undefined
    return this.#structure.search.undecided ?? this.#reader.headFrom
  }

  /** Why the state is `plain`, to be read behind a colon: "a DocType that is neither webm nor matroska". */
  get fault(): string | undefined {
    return this.#reader.fault?.slice(1)
  }

  /** The next bytes of the stream, in pieces of any length. */
  feed(bytes: BorrowedBytes): void {
    if (this.state === 'plain') return
    const { offset } = this.#reader
    if (offset < MAGIC.length && !continues(bytes, offset)) this.#reader.fault = '!no EBML header at its beginning'
    this.#reader.feed(bytes)
    if (this.#reader.fault !== undefined) this.#giveUp()
  }

  #giveUp(): void {
    this.state = 'plain'
    this.header = undefined
  }
}

/** Whether these bytes at this offset are those of the first ID, as far as it reaches. */
function continues(bytes: BorrowedBytes, offset: number): boolean {
  for (let i = 0; i < bytes.byteLength && offset + i < MAGIC.length; i++)
    if (bytes[i] !== MAGIC[offset + i]) return false
  return true
}
