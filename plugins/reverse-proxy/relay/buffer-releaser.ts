import { MessageChannel } from 'node:worker_threads'

/** A closed port: a buffer that is transferred to it is freed. */
const CLOSED_PORT = new MessageChannel().port1
CLOSED_PORT.close()

/** One read of a socket has brought so much. Smaller buffers may be parts of a pool that others use. */
const MIN_BYTES = 16 * 1024
/** When this many are still in use they are left to V8. */
const MAX_BUFFERS = 32

/**
 * Frees buffers as soon as nobody needs them. Node reads into a new one each time, 64 KiB at once, and V8 collects such garbage
 * so often and so thoroughly that a download cost twice as much.
 */
export class BufferReleaser {
  readonly #buffers = new Set<ArrayBuffer>()
  #isScheduled = false

  /** @param isUnused whether nobody reads any of the buffers any more */
  constructor(readonly isUnused: () => boolean) {}

  /** Of a piece that was read from a socket. Node's parser is still reading from it, so that it is freed after this call. */
  add({ buffer }: Uint8Array): void {
    if (buffer.byteLength < MIN_BYTES || !(buffer instanceof ArrayBuffer)) return
    if (this.#buffers.size === MAX_BUFFERS) this.#buffers.clear()
    this.#buffers.add(buffer)
    this.schedule()
  }

  /** Frees all of them in the next tick, if they are unused then. */
  schedule(): void {
    if (this.#isScheduled || this.#buffers.size === 0) return
    this.#isScheduled = true
    process.nextTick(this.#release)
  }

  readonly #release = (): void => {
    this.#isScheduled = false
    if (!this.isUnused()) return
    // A transferred buffer is detached from whoever still holds it.
    for (const buffer of this.#buffers) CLOSED_PORT.postMessage(null, [buffer])
    this.#buffers.clear()
  }
}
