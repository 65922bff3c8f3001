/** How many lines each log of this process has lost, by the log's name. The gateway's own is there from the start. */
const lost = new Map<string, number>([['gateway', 0]])
let tellOthers: ((lines: number) => void) | undefined

/** Calls `run` with how many lines the gateway's own log has lost, from here on whenever there are more. */
export function whenLinesAreLost(run: (lines: number) => void): void {
  tellOthers = run
}

/** Counts for a log: it appears with what it has lost so far, which is nothing the first time. */
export function countLost(log: string, lines: number): void {
  lost.set(log, (lost.get(log) ?? 0) + lines)
  if (log === 'gateway') tellOthers?.(lost.get(log)!)
}

/** Lines that were lost because they could not be written, by log. */
export function lostLines(): ReadonlyMap<string, number> {
  return lost
}
