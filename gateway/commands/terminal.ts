import { closeSync, openSync } from 'node:fs'

/** Whether this process has a terminal: it was started on one, and that has not been closed. */
export function hasTerminal(): boolean {
  try {
    // The one that controls the process, wherever its standard streams go.
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
