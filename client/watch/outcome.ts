import { formatDuration, formatReceipt } from '../../plugins/transfer-status/format.js'
import type { Receipt } from '../../plugins/transfer-status/snapshot.js'

/** How it ended, for people and for scripts. */
export interface Outcome {
  readonly state: 'complete' | 'failed' | 'unknown' | 'refused' | 'timeout'
  /** One line. It may have words of the server in it. */
  readonly line: string
  readonly exitCode: 0 | 1 | 2 | 3
  readonly receipt: Receipt | null
}

export function over(receipt: Receipt): Outcome {
  const { state } = receipt
  return { state, line: formatReceipt(receipt), exitCode: state === 'complete' ? 0 : 1, receipt }
}

/** A script must not take what nobody knows for success. */
export function unknown(why: string): Outcome {
  return { state: 'unknown', line: `unknown: ${why}`, exitCode: 1, receipt: null }
}

/** @param why the server's line, or what is wrong with the connection */
export function refused(why: string): Outcome {
  return { state: 'refused', line: why, exitCode: 2, receipt: null }
}

export function timedOut(ms: number): Outcome {
  return { state: 'timeout', line: `not over after ${formatDuration(ms / 1000)}`, exitCode: 3, receipt: null }
}
