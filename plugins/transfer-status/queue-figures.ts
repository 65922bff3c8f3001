import { counted } from './counted.js'
import type { MaybeQueue, QueueFigures } from './snapshot.js'

interface Counts {
  readonly senders: number
  readonly receivers: number
  readonly running: number
  readonly producers: number
  readonly workers: number
}

/** What is told of a queue besides, taken from what counts it; nothing of what is none. */
export function queueFiguresOf(counts: Counts | undefined): QueueFigures | Record<never, never> {
  if (counts === undefined) return {}
  const { senders, receivers, running, producers, workers } = counts
  return { queue: true, waitingSenders: senders, waitingReceivers: receivers, running, producers, workers }
}

/** `2 senders wait, no receiver; 3 transfers run`; undefined for what is no queue. */
export function queueInWords({
  queue,
  waitingSenders = 0,
  waitingReceivers = 0,
  running = 0,
}: MaybeQueue): string | undefined {
  if (queue !== true) return undefined
  const waiting = `${counted(waitingSenders, 'sender')} and ${counted(waitingReceivers, 'receiver')} waiting`
  return `${waiting}, ${counted(running, 'transfer')} running`
}
