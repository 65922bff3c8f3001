import type { RequestHeaders } from '../headers/request-headers.js'

/** The request as it is sent to the upstream. */
export interface OutgoingRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: RequestHeaders
  /** What was left out of the front of its path, without a slash at its end; '' when nothing was. */
  readonly prefix: string
  /** What the upstream is chosen by; undefined when upstreams take turns. */
  readonly key: string | undefined
}
