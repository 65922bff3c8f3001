import { HeldBytes } from '../../../../core/index.js'

/** Whoever waits for the other peer is read until so much has come: otherwise nobody would notice that it goes. */
const EARLY = 256
const EARLY_BYTES = 64 * 1024
/** What may come of one that cannot be held, while nobody takes it. One read, which always may, has 11 000 messages of nothing. */
const MOST = 16_384
const MOST_BYTES = 2 * 1024 * 1024

export interface HeldMessage {
  readonly bytes: Uint8Array
  readonly isText: boolean
}

/** Messages of a WebSocket that came while nobody took them. They count as held memory. */
export class HeldMessages {
  readonly #messages: HeldMessage[] = []
  #bytes = 0
  readonly #counted: HeldBytes

  constructor(memory: ConstructorParameters<typeof HeldBytes>[0]) {
    this.#counted = new HeldBytes(memory)
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** Enough of one that waits: what it sends besides may stay with its machine. */
  get isEnough(): boolean {
    return this.#messages.length >= EARLY || this.#bytes >= EARLY_BYTES
  }

  /** Copies the message. Returns false, and keeps nothing of it, when that is too much, or there is no memory for it. */
  add(bytes: Uint8Array, isText: boolean): boolean {
    const after = this.#bytes + bytes.length
    if (this.#messages.length === MOST || after > MOST_BYTES || !this.#counted.set(after)) return false
    this.#messages.push({ bytes: bytes.slice(), isText })
    this.#bytes = after
    return true
  }

  take(): HeldMessage | undefined {
    const message = this.#messages.shift()
    if (message !== undefined) this.#set(this.#bytes - message.bytes.length)
    return message
  }

  clear(): void {
    this.#messages.length = 0
    this.#set(0)
  }

  #set(bytes: number): void {
    this.#bytes = bytes
    this.#counted.set(bytes)
  }
}
