/** A viewer of a live stream, who comes when it likes and does what viewers do. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../model/random.js'
import { WAYS } from '../support/peer.js'
import { differsAt } from '../support/tape.js'
import { type Diary, type Door, Participant } from './participant.js'

const TROUBLES = ['none', 'none', 'leave', 'freeze', 'freeze and leave', 'stuck', 'trickle', 'talk'] as const

export class LiveViewer extends Participant {
  readonly trouble: (typeof TROUBLES)[number]
  wrongAt: number | undefined
  readonly #ms: number
  #reads = 0
  #isThawed = false

  /** @param body what the sender sends, as far as it gets */
  constructor(
    readonly index: number,
    readonly body: Buffer,
    readonly path: string,
    readonly random: Random,
    diary: Diary,
    door: Door,
  ) {
    super(`viewer ${index}`, diary, door)
    this.trouble = random.pick(TROUBLES)!
    this.#ms = random.between(1, 400)
  }

  /** Place in the stream of its first byte, as it was told; undefined when it was told nothing. */
  get offset(): number | undefined {
    const told = this.reader.head?.headers.get('x-pipe-offset')
    return told === undefined ? undefined : Number(told)
  }

  /** It reads all that comes, and at once. */
  get isGood(): boolean {
    return this.trouble === 'none'
  }

  async run(): Promise<void> {
    await this.come(this.random.pick([700, 16 * 1024, 64 * 1024])!)
    this.note(this.trouble)
    await this.ask(`GET ${this.path}`)
    const { trouble } = this
    const way = this.random.pick(WAYS)!
    if (trouble === 'leave' || trouble === 'freeze and leave') void this.leaveLater(this.#ms, way)
    if (trouble === 'freeze' || trouble === 'freeze and leave' || trouble === 'stuck') {
      await sleep(this.random.below(100))
      if (this.#isThawed) return
      this.peer!.pause()
      if (trouble === 'freeze') void sleep(this.#ms).then(() => this.peer?.resume())
    }
    if (trouble === 'talk') {
      this.hasLeft = true
      await sleep(this.#ms)
      if (!this.peer!.isClosed) await this.peer!.send('PRI * HTTP/2.0\r\n\r\n')
    }
  }

  /** It reads on, and stops no more. */
  thaw(): void {
    this.#isThawed = true
    this.peer?.resume()
  }

  protected takeBody(bytes: Buffer, at: number): void {
    if (this.status !== 200) return
    if (this.offset === undefined) this.wrongAt ??= -1
    else this.wrongAt ??= differsAt(this.body, bytes, this.offset + at)
    if (this.trouble !== 'trickle' || this.#reads++ > 50) return
    this.peer!.pause()
    void sleep(2).then(() => this.peer?.resume())
  }
}
