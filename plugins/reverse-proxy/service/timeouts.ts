import type { ForwardingConfig } from '../config.js'

/** How long each part of a request may take, in milliseconds; Infinity for no limit. */
export interface Timeouts {
  readonly connect: number
  readonly response: number
  readonly idle: number
}

const RESPONSE_S = 60
const IDLE_S = 300

export function timeoutsOf({ timeouts, balance }: ForwardingConfig): Timeouts {
  // Pipegates have limits of their own, and know what a request waits for.
  const byName = balance === 'name'
  return {
    connect: ms(timeouts.connect),
    response: ms(timeouts.response ?? (byName ? 0 : RESPONSE_S)),
    idle: ms(timeouts.idle ?? (byName ? 0 : IDLE_S)),
  }
}

function ms(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000
}
