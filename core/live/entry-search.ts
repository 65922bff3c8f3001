import type { BorrowedBytes } from '../bytes.js'
import type { Fault } from './ebml-reader.js'
import { vint, vintLength } from './vint.js'

const KEYFRAME = 0x80
/** Time and flags, behind the track's number. */
const MORE_HEAD_BYTES = 3

/** Finds out whether one may begin at a Cluster: when its first block of the picture is a keyframe, or there is no picture at all. */
export class EntrySearch {
  /** Where the Cluster begins of which it is not known yet. */
  undecided: number | undefined
  #video: number | undefined
  /** Of the BlockGroup that is open. */
  #isOfVideo = false
  #refersToOthers = false

  constructor(readonly onEntry: (offset: number) => void) {}

  /** @param video the number of the track that is the picture; undefined when there is none */
  cluster(offset: number, video: number | undefined): void {
    this.#video = video
    this.undecided = offset
    if (video === undefined) this.#decide(true)
  }

  /** A SimpleBlock: its first bytes. */
  simpleBlock(bytes: BorrowedBytes, length: number): Fault | undefined {
    const head = vintLength(bytes[0]!)
    if (!isWhole(head, length)) return '!a block that is too short'
    if (this.#isVideo(bytes, head)) this.#decide((bytes[head + MORE_HEAD_BYTES - 1]! & KEYFRAME) !== 0)
    return
  }

  /** A BlockGroup begins. Its Block is a keyframe when nothing in the group refers to another one. */
  group(): void {
    this.#isOfVideo = false
    this.#refersToOthers = false
  }

  /** The Block of a group: its first bytes. */
  block(bytes: BorrowedBytes, length: number): Fault | undefined {
    const head = vintLength(bytes[0]!)
    if (!isWhole(head, length)) return '!a block that is too short'
    this.#isOfVideo = this.#isVideo(bytes, head)
    return
  }

  reference(): void {
    this.#refersToOthers = true
  }

  groupEnds(): void {
    if (this.#isOfVideo) this.#decide(!this.#refersToOthers)
  }

  clusterEnds(): void {
    this.undecided = undefined
  }

  #isVideo(bytes: BorrowedBytes, head: number): boolean {
    return vint(bytes, 0, head) === this.#video
  }

  #decide(isEntry: boolean): void {
    const offset = this.undecided
    this.undecided = undefined
    if (isEntry && offset !== undefined) this.onEntry(offset)
  }
}

function isWhole(head: number, length: number): boolean {
  return head <= 8 && length >= head + MORE_HEAD_BYTES
}
