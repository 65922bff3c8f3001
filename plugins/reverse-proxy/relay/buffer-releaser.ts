import { MessageChannel } from 'node:worker_threads'

/** Closed: what is handed to it is gone. */
const NOWHERE = new MessageChannel().port1
NOWHERE.close()

/** What one read of a socket has brought, if that was much. Smaller buffers may be parts of one that others use. */
const LARGE = 16 * 1024
/** When so many are still needed they are left to V8. */
const MOST = 32

/**
 * Gives the memory of buffers back that nobody needs any more. Node reads into a new one each time, 64 KiB at once, and V8 collects
 * such garbage so often and so thoroughly that a download cost twice as much.
 */
export class Spent {
  readonly #buffers = new Set<ArrayBuffer>()
  #isDue = false

  /** @param isUnused whether nobody looks at any of the buffers by now */
  constructor(readonly isUnused: () => boolean) {}

  /** Of a piece that was read from a socket. Node's parser is still reading from it, so that it is given back after this. */
  add({ buffer }: Uint8Array): void {
    if (buffer.byteLength < LARGE || !(buffer instanceof ArrayBuffer)) return
    if (this.#buffers.size === MOST) this.#buffers.clear()
    this.#buffers.add(buffer)
    this.look()
  }

  /** Somebody may need less than before. */
  look(): void {
    if (this.#isDue || this.#buffers.size === 0) return
    this.#isDue = true
    process.nextTick(this.#giveBack)
  }

  readonly #giveBack = (): void => {
    this.#isDue = false
    // To hand a buffer over takes it from whoever has it.
    if (!this.isUnused()) return
    for (const buffer of this.#buffers) NOWHERE.postMessage(null, [buffer])
    this.#buffers.clear()
  }
}
