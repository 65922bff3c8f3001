import type { Description } from '../../wire/description.js'

/** What is sent. */
export interface Outgoing {
  readonly description: Description
  /** For who receives with a browser or with curl. */
  readonly type: string
  readonly fileName: string | undefined
  /** Bytes of the stream, undefined when that is not certain before its end. */
  readonly length: number | undefined
  /** About how many, undefined when nobody knows. */
  readonly about: number | undefined
  /** What stands on the screen: `photos/`. */
  readonly label: string
  /** Whether it can be opened again, from its beginning. */
  readonly isLasting: boolean
  /**
   * The bytes, from the first. The memory of a chunk may be used again once {@link KEPT_CHUNKS} more have been asked for.
   * @throws Error in words for people, also while it is read
   */
  open(): AsyncIterable<Uint8Array>
}

/** So many chunks may be on their way while the next one is read. */
export const KEPT_CHUNKS = 4
export const CHUNK_BYTES = 1_048_576
