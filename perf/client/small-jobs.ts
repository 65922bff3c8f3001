/** The jobs with many small transfers: `churn` and `roundTrips`. */

import type { Target } from './dial.js'
import type { JobKind } from './job.js'
import { Pair } from './pair.js'

export interface ChurnArgs {
  readonly target: Target
  /** Begins every name; no other job on this relay may use it. */
  readonly prefix: string
  readonly transfers: number
  /** How many run at a time. */
  readonly parallel: number
  /** Both sides connect anew for every transfer. */
  readonly fresh: boolean
  /** Of every body. */
  readonly bytes: number
  /** Each of those that run at a time has one name, again and again, and not a new one for each transfer. */
  readonly reuses?: boolean
}

/** Transfers back to back. Resolves with the seconds that they took together. */
export const churn: JobKind<ChurnArgs, number> = async (args) => {
  const { target, prefix, transfers, parallel, fresh, bytes, reuses = false } = args
  const from = performance.now()
  let begun = 0
  const work = async (_: unknown, own: number): Promise<void> => {
    const pair = new Pair(target, bytes, fresh)
    while (begun < transfers) {
      const next = begun++
      await pair.transfer(`${prefix}${reuses ? own : next}`)
    }
    pair.close()
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return (performance.now() - from) / 1000
}

export interface RoundTripArgs {
  readonly target: Target
  readonly prefix: string
  readonly bytes: number
  /** Milliseconds between two transfers. */
  readonly everyMs: number
}

/** Small transfers one after the other until it is stopped. Resolves with the milliseconds that each took. */
export const roundTrips: JobKind<RoundTripArgs, number[]> = async ({ target, prefix, bytes, everyMs }, job) => {
  const pair = new Pair(target, bytes, false)
  const times: number[] = []
  let stopped = false
  job.onStop(() => {
    stopped = true
  })
  for (let i = 0; !stopped; i++) {
    const from = performance.now()
    await pair.transfer(`${prefix}${i}`)
    times.push(performance.now() - from)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  pair.close()
  return times
}
