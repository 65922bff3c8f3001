/** What a lane is, and what it gets to run. */

import type { Peer } from './peers.js'
import type { Report } from './report-builder.js'

export interface Lane {
  readonly name: string
  /** One sentence for the report. */
  readonly title: string
  /** Seconds after which it is stopped and counts as failed, in a full run. */
  readonly deadline: number
  /** It makes sense to compare two versions of pipegate in it. */
  readonly compares?: true
  run(context: Context): Promise<void>
}

export interface Context {
  /** A short run with less of everything. */
  readonly quick: boolean
  /** How many rounds each side runs. */
  readonly rounds: number
  /** How long to run, for lanes that take a duration. */
  readonly seconds: number | null
  /** The gateway of this checkout: the first of the sides. */
  readonly head: Peer
  /**
   * The sides to run: the head first, then either the named peers that are installed or, when versions are compared, only
   * the base. Missing peers are noted in the report.
   */
  sides(...peers: readonly Peer[]): readonly Peer[]
  /** Where figures, goals, curves and notes go. */
  readonly report: Report
  /** Prints progress on the terminal. */
  say(line: string): void
}
