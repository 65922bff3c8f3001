import { Cursor } from '../flow/cursor.js'

/** One subscriber of a topic, and how far it is in the messages of its format. */
export class TopicCursor extends Cursor {
  /** What of the format's opening the sink has still to take before anything else. */
  preface: Uint8Array | null = null
  /** It has everything, and its sink has room: it stands in the list of those who are offered the next message at once. */
  isReady = false
  /** It has been served in its turn, and its sink has not taken all of it: what it waits for is its own machine. */
  isBlocked = false
  /** It could not be served in this turn, for want of time and not of room. */
  isPostponed = false
}
