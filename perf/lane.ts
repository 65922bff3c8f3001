/** What a lane is, and what it is given. */

import type { Peer } from './peers.js'
import type { Report } from './report-builder.js'

export interface Lane {
  readonly name: string
  /** One sentence for the report. */
  readonly title: string
  /** Seconds after which it is ended and counts as failed, in a full run. */
  readonly deadline: number
  /** It makes sense to compare two versions of pipegate in it. */
  readonly compares?: true
  run(context: Context): Promise<void>
}

export interface Context {
  /** Less of everything, for a look. */
  readonly quick: boolean
  /** Rounds of every side. */
  readonly rounds: number
  /** How long to go on, for lanes that can be asked. */
  readonly seconds: number | null
  /** The gateway as it is here: the first of the sides. */
  readonly head: Peer
  /**
   * Who runs: the head first, and then either the named peers that are installed, or, when versions are compared, the
   * base alone. Missing ones are noted in the report.
   */
  sides(...peers: readonly Peer[]): readonly Peer[]
  /** Where figures, goals, curves and notes go. */
  readonly report: Report
  /** Says on the terminal what is going on. */
  say(line: string): void
}
