/** The job `wait`: receivers that wait for senders who do not come. */

import type { Target } from './dial.js'
import type { JobKind } from './job.js'
import { Receiver } from './receive.js'
import { Sender } from './send.js'

export interface WaitArgs {
  readonly target: Target
  readonly count: number
  /** So many of them get a body at the end, to see that they were really there. */
  readonly served: number
}

// Fewer than a listen queue holds.
const AT_ONCE = 200
const BYTES = 1000

/** Tells `true` when all of them wait. When it is stopped, some are served, and all leave. */
export const wait: JobKind<WaitArgs, void> = async ({ target, count, served }, job) => {
  const stopped = new Promise<void>((resolve) => job.onStop(resolve))
  const receivers: Receiver[] = []
  while (receivers.length < count) receivers.push(...(await openSome(target, receivers.length, count)))
  const early = Promise.all(receivers.map((receiver) => receiver.done)).then(() => {
    throw new Error('somebody was served before a sender came')
  })
  job.tell(true)
  await Promise.race([stopped, early])
  early.catch(() => {})
  for (let i = 0; i < served; i++) {
    const sender = new Sender({ target, path: `/wait-${i}`, framing: 'length', bytes: BYTES })
    await Promise.all([receivers[i]!.done, sender.done])
  }
  for (const receiver of receivers) receiver.stop()
}

async function openSome(target: Target, from: number, count: number): Promise<Receiver[]> {
  const some: Receiver[] = []
  for (let i = from; i < Math.min(count, from + AT_ONCE); i++) {
    some.push(new Receiver({ target, path: `/wait-${i}`, bytes: BYTES }))
  }
  const failed = Promise.all(some.map((receiver) => receiver.done))
  await Promise.race([failed, Promise.all(some.map((receiver) => receiver.asked))])
  failed.catch(() => {})
  return some
}
