/**
 * A request's head. It reads from the parser's memory and is invalid once the handler has returned: copy what you keep.
 */
export interface RequestView {
  /** As the client wrote it: `GET`. */
  readonly method: string
  /** As the client wrote it, with its percent-escapes, without the query. */
  readonly path: string
  /** Raw, without the `?`; empty when there is none. */
  readonly query: string
  /** The peer's IP address as text. */
  readonly remoteAddress: string
  /** First value of a header as Latin-1 text; empty when it is absent. */
  header(lowerCaseName: string): string
  /** Every header line in order, names in lower case, values as Latin-1 text. */
  eachHeader(visit: (name: string, value: string) => void): void
}
