/** A subscriber of a topic, who comes when it likes, reads lines or events, and does what subscribers do. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../model/random.js'
import { WAYS } from '../support/peer.js'
import { type Diary, type Door, Participant } from './participant.js'

const TROUBLES = ['none', 'none', 'leave', 'freeze', 'freeze and leave', 'stuck', 'trickle'] as const

/** A message of the chaos: its name, a filling, and how long that is. A part of one never looks like a whole one. */
export function messageOf(name: string, filling: number): string {
  return `${name} ${'x'.repeat(filling)} ${filling}`
}

function nameIn(message: string): string | undefined {
  const [, name, filling, length] = /^(\d+\.\d+) (x*) (\d+)$/.exec(message) ?? []
  return filling !== undefined && filling.length === Number(length) ? name : undefined
}

export class TopicSubscriber extends Participant {
  readonly trouble: (typeof TROUBLES)[number]
  readonly isOfEvents: boolean
  /** The messages that it has got, by name, in their order. */
  readonly names: string[] = []
  /** What it has got that it should not have. */
  fault: string | undefined
  #rest = ''
  #lastId: number | undefined
  #reads = 0
  #isThawed = false

  constructor(
    readonly index: number,
    readonly path: string,
    readonly random: Random,
    diary: Diary,
    door: Door,
    isWitness = false,
  ) {
    super(`subscriber ${index}`, diary, door)
    this.trouble = isWitness ? 'none' : random.pick(TROUBLES)!
    this.isOfEvents = random.chance(50)
  }

  /** It reads all that comes, and at once. */
  get isGood(): boolean {
    return this.trouble === 'none'
  }

  /** The connection has ended, whoever ended it. */
  get hasEnded(): boolean {
    return this.hasLeft || this.isOver
  }

  async run(): Promise<void> {
    // With small reads its own machine would be behind, and it would be cut for that.
    await this.come(this.isGood ? 64 * 1024 : this.random.pick([700, 16 * 1024, 64 * 1024])!)
    this.note(this.trouble)
    await this.ask(`GET ${this.path}?topic`, this.isOfEvents ? 'Accept: text/event-stream\r\n' : '')
    const { trouble } = this
    const ms = this.random.between(1, 400)
    if (trouble === 'leave' || trouble === 'freeze and leave') void this.leaveLater(ms, this.random.pick(WAYS)!)
    if (trouble !== 'freeze' && trouble !== 'freeze and leave' && trouble !== 'stuck') return
    await sleep(this.random.below(100))
    if (this.#isThawed) return
    this.peer!.pause()
    if (trouble === 'freeze') void sleep(ms).then(() => this.peer?.resume())
  }

  /** It reads on, and stops no more. */
  thaw(): void {
    this.#isThawed = true
    this.peer?.resume()
  }

  protected takeBody(bytes: Buffer): void {
    if (this.status !== 200) return
    this.#rest += bytes.toString('latin1')
    const end = this.isOfEvents ? '\n\n' : '\n'
    const parts = this.#rest.split(end)
    this.#rest = parts.pop()!
    for (const part of parts) {
      if (this.isOfEvents) this.#takeEvent(part)
      else this.#takeMessage(part)
    }
    if (this.trouble !== 'trickle' || this.#reads++ > 50) return
    this.peer!.pause()
    void sleep(2).then(() => this.peer?.resume())
  }

  #takeEvent(event: string): void {
    // A comment: nothing has been said.
    if (event.startsWith(':')) return
    const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(event) ?? []
    if (id === undefined) {
      this.fault ??= `an event that is none: ${event.slice(0, 100)}`
      return
    }
    if (this.#lastId !== undefined && Number(id) !== this.#lastId + 1)
      this.fault ??= `event ${id} behind ${this.#lastId}`
    this.#lastId = Number(id)
    this.#takeMessage(data!)
  }

  #takeMessage(message: string): void {
    const name = nameIn(message)
    if (name === undefined) this.fault ??= `a message that is not whole: ${message.length} characters`
    else this.names.push(name)
  }
}
