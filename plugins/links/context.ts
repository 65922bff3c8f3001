import type { Host, Slot } from '../../gateway/host/plugin-api.js'
import type { Config } from './config.js'
import type { FailureKey } from './failures.js'

/** What both halves of the plugin have. */
export interface LinksContext {
  readonly host: Host<Config, FailureKey>
  /** The first one signs, all of them are accepted. */
  readonly secrets: readonly string[]
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Set on requests that a link let in. */
  readonly byLink: Slot<true>
}
