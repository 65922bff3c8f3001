import assert from 'node:assert/strict'
import type { EndReason, PipeView, SenderEvent, Source } from '../../../core/index.js'

/** A sender's connection that records every call, and fails on what the port forbids. */
export class FakeSource implements Source {
  /** Every call in order: the event by name, `pause`, `resume`, and `end <reason>`. */
  readonly log: string[] = []
  /** The same without `pause` and `resume`. */
  readonly events: string[] = []
  /** A source starts paused. */
  paused = true
  ended: EndReason | undefined
  /** Set when the connection closed while it waited: nothing may be told to it any more. */
  disconnected = false

  pause(): void {
    this.#called('pause')
    assert.ok(!this.paused, 'a source that is paused was paused')
    this.paused = true
  }

  resume(): void {
    this.#called('resume')
    assert.ok(this.paused, 'a source that runs was resumed')
    this.paused = false
  }

  notify(event: SenderEvent, _pipe: PipeView): void {
    this.#called(event)
    this.events.push(event)
    assert.equal(event === 'waiting', this.log.length === 1, 'waiting is the first event, and only the first')
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#called(`end ${reason}`)
    this.events.push(`end ${reason}`)
    if (pipe.state === 'ended') assert.equal(pipe.endReason, reason)
    this.ended = reason
  }

  #called(what: string): void {
    assert.equal(this.ended, undefined, `source: "${what}" after its end (${this.ended})`)
    assert.ok(!this.disconnected, `source: "${what}" after its connection left`)
    this.log.push(what)
  }
}
