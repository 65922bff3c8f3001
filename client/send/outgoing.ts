import { open } from 'node:fs/promises'
import type { Description } from '../wire/description.js'

/** What is sent. */
export interface Outgoing {
  readonly description: Description
  /** For who receives with a browser or with curl. */
  readonly type: string
  readonly fileName: string | undefined
  /** Bytes of the stream, undefined when that is not known before its end. */
  readonly length: number | undefined
  /** Bytes that it will be about, when `length` is not known. */
  readonly about: number | undefined
  /** What stands on the screen: `photos/`. */
  readonly label: string
  /** Whether it can be opened again, from its beginning. */
  readonly isLasting: boolean
  /**
   * The bytes, from the first. A chunk's memory is used again after {@link KEPT_CHUNKS} more have been asked for.
   * @throws Error in words for people, also while it is read
   */
  open(): AsyncIterable<Uint8Array>
}

/** So many chunks may be on their way while the next one is read. */
export const KEPT_CHUNKS = 4
const CHUNK_BYTES = 1_048_576

/**
 * The bytes of a file, as many as it had when it was looked at: one that grows meanwhile is sent as it was, and one that shrinks is
 * an error.
 */
export async function* fileBytes(path: string, length: number, from = 0): AsyncGenerator<Uint8Array> {
  const file = await open(path)
  try {
    const size = Math.min(CHUNK_BYTES, Math.max(1, length - from))
    const ring = Array.from({ length: KEPT_CHUNKS + 1 }, () => Buffer.allocUnsafeSlow(size))
    for (let at = from, i = 0; at < length; i = (i + 1) % ring.length) {
      const { bytesRead } = await file.read(ring[i]!, 0, Math.min(size, length - at), at)
      if (bytesRead === 0) throw new Error(`${path} has become shorter while it was read: ${at} of ${length} bytes`)
      at += bytesRead
      yield ring[i]!.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
