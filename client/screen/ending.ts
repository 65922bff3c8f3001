import { ConnectionLost, RequestRefused } from '../wire/failures.js'
import type { Ending } from './screen.js'

/** Nobody came in time. */
export class TimedOut extends Error {}

/** The ending of what went wrong. @param server for people */
export function endingOf(error: unknown, server: string): Ending {
  const message = error instanceof Error ? error.message : String(error)
  const exitCode =
    error instanceof TimedOut ? 3 : error instanceof RequestRefused || error instanceof ConnectionLost ? 2 : 1
  const line = error instanceof ConnectionLost ? `${server}: ${message}${hintOf(message)}` : message
  const status = error instanceof RequestRefused ? { status: error.status } : {}
  return { line, exitCode, data: { state: STATES[exitCode], ...status } }
}

const STATES: Readonly<Record<number, string>> = { 1: 'failed', 2: 'refused', 3: 'timeout' }

function hintOf(message: string): string {
  return /^(connection refused|no such host)$/.test(message)
    ? '. Is a gateway running there? --server or PIPEGATE_URL names another one.'
    : ''
}
