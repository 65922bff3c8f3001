/** The body of the request that is answered, when it is read at the same time. */
export interface OwnRequest {
  /** All of it has been read. */
  readonly isRead: boolean
  /** It goes on when the response has come to its end. */
  readonly outlasts: boolean
  readonly isPaused: boolean
  /** Reads the rest and drops it. */
  discard(): void
}
