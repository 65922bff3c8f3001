/** A sender of the chaos. */

import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.js'
import { bodyOf } from '../support/tape.js'
import { type Diary, type Door, Participant } from './participant.js'
import type { Plan, SenderTrouble } from './plan.js'

export class Sender extends Participant {
  /** Bytes of the body that have gone out, and whether the word that ends a chunked one has. */
  #sentBytes = 0
  #sentEnd = false
  /** When that was. */
  sentAt = Number.NEGATIVE_INFINITY
  /** It has broken the rules, so that the gateway may end it. */
  isBroken = false
  /** Its status lines. */
  text = ''

  constructor(
    readonly plan: Plan,
    diary: Diary,
    door: Door,
  ) {
    super('sender', diary, door)
  }

  protected takeBody(bytes: Buffer): void {
    this.text += bytes.toString('latin1')
  }

  /** All of the body has gone out, its end included. */
  get bodySent(): boolean {
    return this.plan.announced ? this.#sentBytes === this.plan.bytes : this.#sentEnd
  }

  get trouble(): SenderTrouble {
    return this.plan.sender.trouble
  }

  /** Its body arrives whole, whatever becomes of it. */
  get isHonest(): boolean {
    const { kind } = this.trouble
    if (kind === 'leave when uploaded')
      return this.bodySent && (!this.hasLeft || this.text.includes('Upload complete.'))
    if (kind === 'close behind') return this.bodySent
    return this.bodySent && !this.hasLeft && !this.isBroken
  }

  /** It stayed to the end, and read what it was told. Who closes its side behind its body counts as gone. */
  get hasListened(): boolean {
    const { kind } = this.trouble
    const stayed = !this.hasLeft && !this.isBroken && kind !== 'too much' && kind !== 'close behind'
    return stayed && this.plan.sender.readsLines
  }

  async run(): Promise<void> {
    const { plan, trouble } = this
    await sleep(plan.sender.comesAfter)
    await this.come(16 * 1024)
    if (!plan.sender.readsLines) this.peer!.pause()
    if (trouble.kind === 'leave later') void this.leaveLater(trouble.ms, trouble.way)
    const framing = plan.announced ? `Content-Length: ${plan.bytes}` : 'Transfer-Encoding: chunked'
    this.note(`PUT ${plan.query}, ${framing}`)
    // One that is to hear nothing before the end, and dies in the meantime, is missed for minutes if it does not say this.
    const expect = plan.replyAtEnd ? 'Expect: 100-continue\r\n' : ''
    await this.ask(`PUT /${plan.name}?${plan.query}`, `${expect}${framing}\r\n`)
    await this.#sendBody()
    if (this.#isGone) return
    await this.#sendEnd()
  }

  get #isGone(): boolean {
    return this.hasLeft || this.isBroken || this.peer!.isClosed
  }

  async #sendBody(): Promise<void> {
    const body = bodyOf(this.plan.seed, this.plan.bytes)
    const { piece } = this.plan.sender
    const stop = 'at' in this.trouble ? this.trouble.at : -1
    for (let at = 0; ; ) {
      if (at === stop) at = await this.#troubled(body, at)
      if (this.#isGone || at >= body.length) return
      const end = Math.min(body.length, at + piece, stop > at ? stop : body.length)
      await this.#sendPiece(body.subarray(at, end))
      at = end
    }
  }

  /** The one moment of the plan. Returns where to go on. */
  async #troubled(body: Buffer, at: number): Promise<number> {
    const { trouble } = this
    if (trouble.kind === 'leave') {
      this.leave(trouble.way, `after ${at} bytes`)
    } else if (trouble.kind === 'freeze') {
      this.note(`freezes at ${at}`)
      await sleep(trouble.ms)
    } else if (trouble.kind === 'trickle') {
      const end = Math.min(body.length, at + trouble.pieces)
      for (; at < end && !this.#isGone; at++) {
        await this.#sendPiece(body.subarray(at, at + 1))
        await sleep(1)
      }
    } else if (trouble.kind === 'malformed') {
      await this.#breakFraming(body, at, trouble.how)
    }
    return at
  }

  async #sendPiece(bytes: Buffer): Promise<void> {
    this.#sentBytes += bytes.length
    if (this.plan.announced) {
      await this.peer!.send(bytes)
      if (this.#sentBytes === this.plan.bytes) this.sentAt = performance.now()
    } else
      await this.peer!.send(
        Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
      )
  }

  async #sendEnd(): Promise<void> {
    const { trouble } = this
    this.#sentEnd = true
    // With a length the last byte was the end, and it may have frozen since.
    if (!this.plan.announced || this.plan.bytes === 0) this.sentAt = performance.now()
    if (!this.plan.announced) await this.peer!.send('0\r\n\r\n')
    if (this.#isGone) return
    this.note('all sent')
    if (trouble.kind === 'too much') await this.peer!.send(trouble.extra)
    if (trouble.kind === 'close behind') this.peer!.leave('halfClose')
    if (trouble.kind !== 'leave when uploaded') return
    await eventually(() => this.text.includes('Upload complete.') || this.isOver || 'no word of the upload', {
      timeoutMs: 60_000,
    })
    this.leave(trouble.way, 'having read that its upload is complete')
  }

  /** Ends the body so that no strict reader can find its end, and as much like an end as can be. */
  async #breakFraming(body: Buffer, at: number, how: string): Promise<void> {
    this.note(`breaks its framing at ${at}: ${how}`)
    this.isBroken = true
    const rest = body.subarray(at, at + 1000).toString('latin1')
    const size = rest.length.toString(16)
    const end = '0\r\n\r\n'
    const broken: Record<string, string> = {
      longer: `${size}\r\n${rest}x\r\n${end}`,
      shorter: `${(rest.length + 3).toString(16)}\r\n${rest}\r\n${end}`,
      'no size': `\r\n${rest}\r\n${end}`,
      extension: `${size};=b\r\n${rest}\r\n${end}`,
      'no line break': `${size}\r\n${rest}xx${end}`,
      'not hex': `g\r\n${rest}\r\n${end}`,
    }
    await this.peer!.send(broken[how]!)
  }
}
