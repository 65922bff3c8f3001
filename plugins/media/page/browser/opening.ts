/** The beginning of a stream: as much as it takes to know what it is. */
import type { Finding } from '../container/finding.js'
import { identify } from '../container/identify.js'

export type Bytes = Uint8Array<ArrayBuffer>

export interface Opening {
  readonly finding: Exclude<Finding, { readonly kind: 'more' }>
  /** What has been read for it. */
  readonly bytes: Bytes
  /** That was all. */
  readonly isAll: boolean
}

/** @throws TypeError when the stream is cut */
export async function readOpening(reader: ReadableStreamDefaultReader<Bytes>): Promise<Opening> {
  let kept = new Uint8Array(65_536)
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (value !== undefined) {
      if (length + value.length > kept.length) {
        const larger = new Uint8Array(2 * (length + value.length))
        larger.set(kept.subarray(0, length))
        kept = larger
      }
      kept.set(value, length)
      length += value.length
    }
    const bytes = kept.subarray(0, length)
    const finding = identify(bytes, done)
    if (finding.kind !== 'more') return { finding, bytes, isAll: done }
  }
}
