import type { OwnedBytes } from '../bytes.js'

/** Where a viewer begins, and what it gets first. */
export interface Place {
  readonly offset: number
  readonly header: OwnedBytes | undefined
}

/** A place at which somebody can begin who has not had what is before it. */
export interface Entry {
  readonly offset: number
  /** What has to come first. */
  readonly header: OwnedBytes
}
