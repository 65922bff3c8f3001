import type { Teardown } from '../support/teardown.js'

/** What a program has in place of tap's `t`: undoes what was done, the last first. */
export class Undo implements Teardown {
  readonly #undos: (() => unknown)[] = []

  teardown(undo: () => unknown): void {
    this.#undos.push(undo)
  }

  async run(): Promise<void> {
    for (const undo of this.#undos.splice(0).reverse()) await undo()
  }
}
