/** Anything that can undo things at the end of a test: tap's `t`. */
export interface Teardown {
  teardown(undo: () => unknown): void
  /** Of a test: nothing has failed so far. */
  passing?(): boolean
}
