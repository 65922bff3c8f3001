/** How many lines each log of this process has lost, by the log's name. The gateway's own is there from the start. */
const lost = new Map<string, number>([['gateway', 0]])

/** Counts for a log: it appears with what it has lost so far, which is nothing the first time. */
export function countLost(log: string, lines: number): void {
  lost.set(log, (lost.get(log) ?? 0) + lines)
}

/** Lines that were lost because they could not be written, by log. */
export function lostLines(): ReadonlyMap<string, number> {
  return lost
}
