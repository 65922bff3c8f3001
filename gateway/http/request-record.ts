import type { EndReason } from '../../core/index.js'

/** What is known of a request when it is over. The query is not part of it: it may carry secrets. */
export interface RequestRecord {
  readonly id: number
  /** Where it came from: the peer, or what a trusted proxy says. */
  readonly remoteAddress: string
  readonly method: string
  readonly path: string
  /** 0 when the client left before anything was sent. */
  readonly status: number
  /** `answered`, `complete`, `cut` by us, or `aborted` by the client. */
  readonly outcome: string
  /** Why its side of the transfer ended, when this request was told so. */
  readonly reason: EndReason | undefined
  /** Code of the refusal that it was answered with. */
  readonly code: string | undefined
  readonly bytesIn: number
  readonly bytesOut: number
  readonly ms: number
}

export type RequestLog = (record: RequestRecord) => void
