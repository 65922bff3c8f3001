import type { PipeObserver, PipeView, Side } from '../../core/index.js'
import { splitKey } from '../host/pipe-key.js'

/** The ids of all transfers that have a sender, so that a chosen one can be looked up without looking at every pipe. */
export class TransferIds implements PipeObserver {
  readonly #inUse = new Set<string>()
  /** A sender that has left its pipe has taken its id along. */
  readonly #ofPipe = new Map<PipeView, string>()

  isInUse(id: string, project: string): boolean {
    return this.#inUse.has(keyOf(id, project))
  }

  onJoined(pipe: PipeView, side: Side): void {
    if (side !== 'sender') return
    const key = keyOf(pipe.transferId, splitKey(pipe.key).project)
    this.#inUse.add(key)
    this.#ofPipe.set(pipe, key)
  }

  onLeft(pipe: PipeView, side: Side): void {
    if (side === 'sender') this.onEnded(pipe)
  }

  onEnded(pipe: PipeView): void {
    const key = this.#ofPipe.get(pipe)
    if (key === undefined) return
    this.#inUse.delete(key)
    this.#ofPipe.delete(pipe)
  }

  onWaiting(): void {}
  onLooked(): void {}
  onPaired(): void {}
}

/** No id has a space in it. */
function keyOf(id: string, project: string): string {
  return project === '' ? id : `${id} ${project}`
}
