import { formatBytes, formatPercent } from '../../../transfer-status/format.js'
import { archiveOf } from './archive.js'
import type { Item } from './items.js'
import { drawStatus } from './status-card.js'

/** Files that are being made one. It begins as soon as they are chosen, while their sender looks for the button. */
export class Preparation {
  readonly #abort = new AbortController()
  readonly #total: number
  #read = 0
  #isShown = false
  /** Rejects when a file cannot be read, or it was cancelled. */
  readonly file: Promise<File>

  constructor(items: readonly Item[]) {
    this.#total = items.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
    this.file = archiveOf(items, this.#abort.signal, (bytes) => {
      this.#read += bytes
      if (this.#isShown) this.#draw()
    })
    // Somebody may take the files out again, and never ask.
    this.file.catch(() => {})
  }

  get isCancelled(): boolean {
    return this.#abort.signal.aborted
  }

  cancel(): void {
    this.#abort.abort()
  }

  /** Shows how far it is until it is done. */
  async shown(): Promise<File> {
    this.#isShown = true
    this.#draw()
    try {
      return await this.file
    } finally {
      this.#isShown = false
    }
  }

  #draw(): void {
    const share = this.#total === 0 ? 1 : Math.min(1, this.#read / this.#total)
    drawStatus(
      { phase: 'waiting', headline: 'Preparing', sentence: 'Your files are read once, to make one of them.' },
      null,
      'Send',
      `${formatPercent(share)} of ${formatBytes(this.#total)}`,
    )
  }
}
