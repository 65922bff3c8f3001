/** What a driver asks of a message system, whatever it speaks. */

import type { Target } from '../dial.js'

/**
 * `topic`: every subscriber gets every message. `queue`: each message goes to one worker. `ask`: each question goes to one
 * worker, which sends it back as the answer.
 */
export type MessageKind = 'topic' | 'queue' | 'ask'

/** Gets a message, `bytes[from, to)`. The memory is used again afterwards. */
export type TakeMessage = (bytes: Buffer, from: number, to: number) => void

export interface CrewOptions {
  readonly target: Target
  readonly kind: MessageKind
  /** Publishers, producers or askers, each with a connection of its own. */
  readonly senders: number
  /** Subscribers or workers, each with a connection of its own. */
  readonly receivers: number
  /** What gets the messages of subscriber or worker number `index`; of an asker, by its number, the answers. */
  taker(index: number): TakeMessage
  /** Something was not as it should be; nothing can be relied upon any more. */
  failed(error: Error): void
}

/** Senders and receivers that are connected. */
export interface Crew {
  /** Sends from sender number `sender`. What its connection cannot take yet is kept. */
  send(sender: number, message: Buffer): void
  close(): void
}

/** Resolves when all receivers are there, as far as the protocol tells. */
export type OpenCrew = (options: CrewOptions) => Promise<Crew>

// Fewer than any listen queue holds.
const AT_ONCE = 64

/** Opens `count` of something, some at a time. */
export async function openMany<T>(count: number, open: (index: number) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  while (all.length < count) {
    const from = all.length
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => open(from + i))
    all.push(...(await Promise.all(some)))
  }
  return all
}
