import type { PipeObserver, PipeView, Side } from '../../core/index.js'
import { splitKey } from '../host/pipe-key.js'

/** The ids of all transfers that have a sender, so that a chosen one can be looked up without looking at every pipe. */
export class TransferIds implements PipeObserver {
  readonly #inUse = new Set<string>()
  /**
   * By the number of the pipe, because a sender that has left its pipe has taken its id along. Not by the pipe itself: what comes
   * and goes in a Map stays alive with its old tables (core/clock.ts), and a third of all time was spent on copying transfers
   * that were over.
   */
  readonly #ofPipe = new Map<number, string>()

  isInUse(id: string, project: string): boolean {
    return this.#inUse.has(keyOf(id, project))
  }

  onJoined(pipe: PipeView, side: Side): void {
    if (side !== 'sender') return
    const key = keyOf(pipe.transferId, splitKey(pipe.key).project)
    this.#inUse.add(key)
    this.#ofPipe.set(pipe.id, key)
  }

  onLeft(pipe: PipeView, side: Side): void {
    if (side === 'sender') this.onEnded(pipe)
  }

  onEnded(pipe: PipeView): void {
    const key = this.#ofPipe.get(pipe.id)
    if (key === undefined) return
    this.#inUse.delete(key)
    this.#ofPipe.delete(pipe.id)
  }

  onWaiting(): void {}
  onLooked(): void {}
  onPaired(): void {}
}

/** No id has a space in it. */
function keyOf(id: string, project: string): string {
  return project === '' ? id : `${id} ${project}`
}
