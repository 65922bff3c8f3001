/** A client process: does the jobs that its lane sends, many at a time, and ends when the lane does. */

import { ask } from './ask-job.js'
import { crewClose, crewFlood, crewOpen, crewPace } from './crew-jobs.js'
import { handshakes } from './handshake-job.js'
import type { JobKind, Order, Reply } from './job.js'
import { lines } from './line-job.js'
import { churn, roundTrips } from './small-jobs.js'
import { soak } from './soak-job.js'
import { receive, send, sendUntilStopped } from './stream-jobs.js'
import { wait } from './wait-job.js'

const KINDS = {
  ask,
  churn,
  crewClose,
  crewFlood,
  crewOpen,
  crewPace,
  handshakes,
  lines,
  receive,
  roundTrips,
  send,
  sendUntilStopped,
  soak,
  wait,
} as const

/** The kinds of jobs there are, with what they take and return. */
export type Kinds = typeof KINDS

const stops = new Map<number, () => void>()

function reply(message: Reply): void {
  process.send?.(message)
}

async function run(id: number, kind: string, args: unknown): Promise<void> {
  const job = {
    tell: (news: unknown) => reply({ id, news }),
    onStop: (stop: () => void) => void stops.set(id, stop),
  }
  try {
    const work = KINDS[kind as keyof Kinds] as JobKind<unknown, unknown>
    reply({ id, result: await work(args, job) })
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) })
  }
}

process.on('message', (order: Order) => {
  if ('stop' in order) stops.get(order.id)?.()
  else void run(order.id, order.kind, order.args)
})
// The lane is gone, in whatever way: nobody is left to tell anything.
process.on('disconnect', () => process.exit(0))
