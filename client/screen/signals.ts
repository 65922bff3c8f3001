/** Signals that interrupt a command that goes on until it is done. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** By the signal itself, and not with an exit code that looks the same: a script that calls us in a loop ends as well. */
export function dieOf(signal: NodeJS.Signals): number {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  return 1
}
