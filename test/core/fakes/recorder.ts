import assert from 'node:assert/strict'
import type { EndReason, PipeObserver, PipeView } from '../../../core/index.js'

/** A call of an observer. */
export interface ObservedEvent {
  readonly event: 'waiting' | 'paired' | 'ended'
  readonly key: string
  readonly reason: EndReason | undefined
  readonly bytesIn: number
  readonly bytesOut: number
}

/** An observer that records its calls, and fails on one that comes twice or out of order. */
export class Recorder implements PipeObserver {
  readonly observed: ObservedEvent[] = []
  readonly #last = new Map<PipeView, ObservedEvent['event']>()

  onWaiting(pipe: PipeView): void {
    assert.ok(!this.#last.has(pipe), 'observer: onWaiting twice for one pipe')
    this.#record(pipe, 'waiting')
  }

  onJoined(pipe: PipeView): void {
    const now = this.#last.get(pipe)
    const isOpen = now === 'waiting' || (now === 'paired' && pipe.kind !== 'pipe')
    assert.ok(isOpen, 'observer: nobody joins a pipe that does not wait, unless it is live or a topic')
  }

  onLeft(pipe: PipeView): void {
    assert.ok(this.#last.has(pipe), 'observer: nobody leaves a pipe that nobody joined')
    assert.notEqual(this.#last.get(pipe), 'ended', 'observer: nobody leaves a pipe that has ended')
  }

  onLooked(pipe: PipeView): void {
    assert.equal(this.#last.get(pipe), 'waiting', 'observer: only what waits is looked at')
    assert.ok(pipe.hasSender && pipe.looks > 0)
  }

  onPaired(pipe: PipeView): void {
    assert.equal(this.#last.get(pipe), 'waiting', 'observer: onPaired comes once, after onWaiting')
    this.#record(pipe, 'paired')
  }

  onEnded(pipe: PipeView): void {
    assert.ok(this.#last.has(pipe), 'observer: onEnded without onWaiting')
    assert.notEqual(this.#last.get(pipe), 'ended', 'observer: onEnded twice for one pipe')
    assert.equal(pipe.state, 'ended')
    assert.notEqual(pipe.endReason, undefined)
    assert.notEqual(pipe.endedAt, undefined)
    this.#record(pipe, 'ended')
  }

  /** One line for each call: `waiting a`, `paired a`, `ended a complete`. */
  get lines(): string[] {
    return this.observed.map(({ event, key, reason }) =>
      [event, key, ...(reason === undefined ? [] : [reason])].join(' '),
    )
  }

  #record(pipe: PipeView, event: ObservedEvent['event']): void {
    this.#last.set(pipe, event)
    const { key, endReason: reason, bytesIn, bytesOut } = pipe
    this.observed.push({ event, key, reason, bytesIn, bytesOut })
  }
}
