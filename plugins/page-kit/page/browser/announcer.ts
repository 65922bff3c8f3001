/** What a screen reader says, in one polite live region: changes of state, and now and then how far it is. */
import { isFlowing, type Phase } from '../phase.js'
import type { View } from '../view.js'

const SOON_MS = 5000
const MINUTE_MS = 60_000

export class Announcer {
  #lastText = ''
  #phase: Phase | undefined
  #announcedAt = 0
  #tenth = 0
  /** When a stall, or its end, was told last. */
  #stallToldAt = 0

  constructor(readonly region: Element) {}

  /** With a known total each 10 %, otherwise once a minute. @param now Unix time in milliseconds */
  see({ phase, share, fields }: View, now: number): void {
    const { headline, sentence, figure } = fields
    const tenth = Math.floor((share ?? 0) * 10)
    // The sentence of a stall counts seconds.
    const told = phase === 'stalled' ? headline : `${headline}. ${sentence}`
    if (phase !== this.#phase || (!isFlowing(phase) && told !== this.#lastText)) {
      // A stream that drips goes to and fro.
      const isFlip = this.#phase !== undefined && isFlowing(this.#phase) && isFlowing(phase)
      this.#phase = phase
      if (isFlip && now - this.#stallToldAt < MINUTE_MS) return
      if (isFlip) this.#stallToldAt = now
      this.#tenth = tenth
      this.#lastText = told
      this.say(told, now)
    } else if (phase === 'streaming') {
      const isDue = share === null ? now - this.#announcedAt >= MINUTE_MS : tenth > this.#tenth
      if (!isDue || now - this.#announcedAt < SOON_MS) return
      this.#tenth = tenth
      this.say(share === null ? `${figure} so far.` : `${tenth * 10} percent.`, now)
    }
  }

  say(text: string, now: number): void {
    this.#announcedAt = now
    this.region.textContent = text
  }
}
