import type { SlabPool } from '../../core/index.js'
import type { Sockets } from './sockets.js'

/** Makes all reads small while memory is scarce, and large again when it is not. */
export class ReadSize {
  #isSmall = false

  constructor(
    readonly slabs: SlabPool,
    readonly sockets: Pick<Sockets, 'saveMemory'>,
  ) {}

  /** Call it after each read, because what the read brought may have had to be kept. */
  adapt(): void {
    const { isScarce } = this.slabs
    if (isScarce === this.#isSmall) return
    this.#isSmall = isScarce
    this.sockets.saveMemory(isScarce)
  }
}
