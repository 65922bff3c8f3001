import { counted } from './counted.js'
import type { MaybeQueue, QueueFigures } from './snapshot.js'

/** What is told of a queue besides, taken from what counts it; nothing of what is none. */
export function queueFiguresOf(
  counts: { readonly senders: number; readonly receivers: number; readonly running: number } | undefined,
): QueueFigures | Record<never, never> {
  if (counts === undefined) return {}
  const { senders, receivers, running } = counts
  return { queue: true, waitingSenders: senders, waitingReceivers: receivers, running }
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
