/** Somebody who publishes to a topic, and who may die in the middle of a message. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../model/random.js'
import { type Diary, type Door, Participant } from './participant.js'
import { messageOf } from './topic-subscriber.js'

/** What a publisher knows of its message: everybody has it, nobody has, or neither. */
export type Fate = 'delivered' | 'nobody' | 'unknown'

class Publication extends Participant {
  text = ''

  protected takeBody(bytes: Buffer): void {
    this.text += bytes.toString('latin1')
  }

  /** Sends one request, or a part of it and no more. Resolves when it is over. */
  async run(line: string, body: string, stopAt: number): Promise<void> {
    await this.come(16 * 1024)
    await this.ask(line, `Content-Length: ${body.length}\r\n`)
    const pieces = Math.max(1, Math.ceil(body.length / 50_000))
    for (let i = 0; i < pieces && !this.isOver; i++) {
      const [from, to] = [i * 50_000, Math.min((i + 1) * 50_000, stopAt)]
      if (from < to) await this.peer!.send(body.slice(from, to))
    }
    if (stopAt < body.length) this.leave('reset', `at ${stopAt} of ${body.length}`)
  }
}

export class TopicPublisher {
  readonly fates = new Map<string, Fate>()
  /** It was told something that is no answer to what it did. */
  fault: string | undefined

  constructor(
    readonly index: number,
    readonly path: string,
    readonly query: string,
    readonly random: Random,
    readonly diary: Diary,
    readonly door: Door,
    /** More than kernels hold for those who do not read. */
    readonly isFlood: boolean,
  ) {}

  /** Publishes some messages, one after the other, and is told of each. */
  async run(until: (is: () => boolean, what: string) => Promise<void>): Promise<void> {
    const { random } = this
    const inOne = !this.isFlood && random.chance(30) ? random.between(2, 30) : 1
    for (let n = 0; n < 12; n++) {
      const names = Array.from({ length: inOne }, (_, i) => `${this.index}.${n * 100 + i}`)
      const most = this.isFlood ? 300_000 : random.pick([20, 20, 2000, 60_000])!
      const text = names.map((name) => messageOf(name, random.below(most))).join('\n')
      const body = inOne > 1 ? `${text}\n` : text
      const dies = random.chance(12)
      const stopAt = dies ? random.below(body.length) : body.length
      const publication = new Publication(`publisher ${this.index}`, this.diary, this.door)
      const lines = inOne > 1 ? '&lines' : ''
      await publication.run(`POST ${this.path}?topic&wait=1${this.query}${lines}`, body, stopAt)
      if (!dies && random.chance(8)) publication.leave('reset', 'before the answer')
      if (!publication.hasLeft) await until(() => publication.isOver, `publisher ${this.index} is never answered`)
      for (const [i, name] of names.entries()) this.fates.set(name, this.#fate(publication, body, stopAt, inOne, i))
      publication.close()
      await sleep(random.below(15))
    }
  }

  #fate({ hasLeft, status, text }: Publication, body: string, stopAt: number, inOne: number, i: number): Fate {
    // Of lines those that have come whole are messages, and of one message the whole body.
    const lines = body.slice(0, stopAt).split('\n').length - 1
    if (hasLeft) return stopAt < body.length && (inOne === 1 || i >= lines) ? 'nobody' : 'unknown'
    if (status === 504) return inOne === 1 ? 'nobody' : 'unknown'
    const told = /^\[INFO\] Delivered (?:to \d+ subscriber|(\d+) message)/.exec(text)
    if (status !== 200 || told === null || (inOne > 1 && Number(told[1]) !== inOne)) {
      this.fault ??= `${status}: ${text}`
      return 'unknown'
    }
    return 'delivered'
  }
}
