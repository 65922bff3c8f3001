const VIDEO = 1

/**
 * Which track of a stream is its picture: the first of video that Tracks tells of, which is what players show. Another one may
 * have its keyframes in other Clusters, and whoever waited for both might wait for ever.
 */
export class VideoTrack {
  /** Whether any track has been told of. */
  isKnown = false
  /** Its number in blocks; undefined: there is no video. */
  number: number | undefined
  /** Of the TrackEntry that is open. */
  entryNumber = 0
  entryType = 0

  /** A TrackEntry has ended. */
  entryEnds(): void {
    if (this.entryType === VIDEO) this.number ??= this.entryNumber
    this.isKnown = true
    this.entryNumber = 0
    this.entryType = 0
  }
}
