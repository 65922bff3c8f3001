/** What a driver asks of a message system, whatever it speaks. */

import type { Target } from '../dial.js'

/**
 * `topic`: every subscriber gets every message. `queue`: each message goes to one worker. `ask`: each question goes to one
 * worker, which sends it back as the answer.
 */
export type MessageKind = 'topic' | 'queue' | 'ask'

export interface CrewOptions {
  readonly target: Target
  readonly kind: MessageKind
  /** Publishers, producers or askers, each with a connection of its own. */
  readonly senders: number
  /** Subscribers or workers, each with a connection of its own. */
  readonly receivers: number
  /** `bytes[from, to)` came: to a subscriber, a worker, or to an asker as its answer. The memory is used again afterwards. */
  arrived(bytes: Buffer, from: number, to: number): void
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
