import type { EndReason } from '../../core/index.js'

/** What is known of a request when it is over. It leaves the query out, which may contain secrets. */
export interface RequestRecord {
  readonly id: number
  /** The client: the peer, or the address that a trusted proxy gives. */
  readonly remoteAddress: string
  readonly method: string
  readonly path: string
  /** 0 when the client left before anything was sent. */
  readonly status: number
  /** `answered`, `complete`, `cut` by the gateway, `aborted` by the client, or `vanished` with its machine. */
  readonly outcome: string
  /** Why its side of the transfer ended, if the client was told. */
  readonly reason: EndReason | undefined
  /** Code of the refusal that it was answered with. */
  readonly code: string | undefined
  readonly bytesIn: number
  readonly bytesOut: number
  readonly ms: number
}

/** Receives the record of each request. */
export type RequestLog = (record: RequestRecord) => void
