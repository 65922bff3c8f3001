import type { MemoryBudget } from './slab-pool.js'

/**
 * What one owner holds, said as one number: the budget is told what has changed. So nothing that is given back can be given back
 * twice, or be forgotten for good.
 */
export class HeldBytes {
  #bytes = 0

  constructor(readonly memory: Pick<MemoryBudget, 'hold' | 'give'>) {}

  /**
   * So many bytes are held now. False: there is no room for more than before, nothing has changed, and no more must be held.
   * Fewer than before are always taken note of.
   */
  set(bytes: number): boolean {
    const more = bytes - this.#bytes
    if (more > 0 && !this.memory.hold(more)) return false
    if (more < 0) this.memory.give(-more)
    this.#bytes = bytes
    return true
  }
}
