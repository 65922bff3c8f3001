/** What a run came across, so that a test can tell that the model reaches everything. */
export interface Coverage {
  readonly reasons: Map<string, number>
  readonly refusals: Map<string, number>
  /** Steps after which some receiver waited for another turn. */
  postponed: number
}

export function newCoverage(): Coverage {
  return { reasons: new Map(), refusals: new Map(), postponed: 0 }
}

/** Counts one more of these. */
export function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
