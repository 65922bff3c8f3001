/** A receiver of the chaos. */

import { setTimeout as sleep } from 'node:timers/promises'
import { bodyOf, differsAt } from '../support/tape.js'
import { type Diary, type Door, Participant } from './participant.js'
import type { Plan, ReceiverPlan, ReceiverTrouble } from './plan.js'

export class Receiver extends Participant {
  /** The first byte that was wrong. */
  wrongAt: number | undefined
  /** It does not read, and will not before the transfer is over. */
  isStuck = false
  readonly #body: Buffer
  #reads = 0
  #troubled = false

  constructor(
    readonly plan: Plan,
    index: number,
    diary: Diary,
    door: Door,
  ) {
    super(`receiver ${index}`, diary, door)
    this.own = plan.receivers[index]!
    this.#body = bodyOf(plan.seed, plan.bytes)
    this.isAbsent = this.own.absent
  }

  readonly own: ReceiverPlan

  get trouble(): ReceiverTrouble {
    return this.own.trouble
  }

  /** It stayed to the end and read all that came. */
  get hasStayed(): boolean {
    return !this.isAbsent && !this.hasLeft && !this.isStuck
  }

  async run(): Promise<void> {
    if (this.isAbsent) return
    const { own, plan, trouble } = this
    await sleep(own.comesAfter)
    await this.come(own.readBytes)
    if (trouble.kind === 'leave later') void this.leaveLater(trouble.ms, trouble.way)
    this.note(`GET ${JSON.stringify(trouble)}`)
    await this.ask(`GET /${plan.name}?n=${plan.n}`)
    if ('at' in trouble && trouble.at === 0) this.#meetTrouble()
  }

  /** Reads what has come, if it can be had. */
  thaw(): void {
    this.peer?.resume()
  }

  protected takeBody(bytes: Buffer, offset: number): void {
    // An error answers with a line, which is no part of the stream.
    if (this.status !== 200) return
    const wrong = differsAt(this.#body, bytes, offset)
    if (wrong !== undefined && this.wrongAt === undefined) {
      this.wrongAt = wrong
      this.note(`WRONG BYTE at ${wrong}`)
    }
    const { trouble } = this
    if (trouble.kind === 'trickle' && this.#reads++ < trouble.reads) this.#freezeFor(trouble.ms)
    if ('at' in trouble && offset + bytes.length >= trouble.at) this.#meetTrouble()
  }

  #meetTrouble(): void {
    if (this.#troubled) return
    this.#troubled = true
    const { trouble } = this
    if (trouble.kind === 'leave') this.leave(trouble.way, `after ${trouble.at} bytes`)
    if (trouble.kind === 'freeze') this.#freezeFor(trouble.ms)
    if (trouble.kind === 'freeze and leave') {
      this.peer!.pause()
      // Who has closed its side only is served on: without reading on it would hold up the others for good.
      void this.leaveLater(trouble.ms, trouble.way).then(() => this.thaw())
    }
    if (trouble.kind === 'stuck') {
      this.note('is stuck')
      this.isStuck = true
      this.peer!.pause()
    }
    if (trouble.kind === 'talk') {
      this.note('talks')
      this.hasLeft = true
      void this.peer!.send(trouble.what)
    }
  }

  #freezeFor(ms: number): void {
    this.peer!.pause()
    void sleep(ms).then(() => this.thaw())
  }
}
