/** Memory that the instances of a plugin in all threads share. Asked for in `setup`, by a name. */
export class SharedMemories {
  readonly #memories: Map<string, SharedArrayBuffer>
  readonly #isComplete: boolean

  /** @param all what another instance of the same plugins has asked for; without it this one is the first */
  constructor(all?: ReadonlyMap<string, SharedArrayBuffer>) {
    this.#memories = new Map(all)
    this.#isComplete = all !== undefined
  }

  /** All so far, for other threads. */
  get all(): ReadonlyMap<string, SharedArrayBuffer> {
    return this.#memories
  }

  /**
   * @param fill called once, before any other thread is there
   * @throws Error with one line when the first instance has not asked for the same
   */
  get(plugin: string, name: string, bytes: number, fill?: (memory: Uint8Array) => void): SharedArrayBuffer {
    const key = `${plugin} ${name}`
    const found = this.#memories.get(key)
    if (this.#isComplete && found?.byteLength === bytes) return found
    if (this.#isComplete || found !== undefined)
      throw new Error(`sharedMemory("${name}", ${bytes}): setup() must ask for the same in each thread, and once`)
    const memory = new SharedArrayBuffer(bytes)
    fill?.(new Uint8Array(memory))
    this.#memories.set(key, memory)
    return memory
  }
}
