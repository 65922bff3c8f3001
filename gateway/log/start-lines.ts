import { WARN } from './person-entry.js'

/**
 * The lines of a start that is told by a banner: only an operator who looks for something reads the ordinary ones, and warnings
 * are for the banner, which must not stand between them.
 */
export class StartLines {
  #warnings: string[] | undefined = []

  /** @param showsAll whether ordinary lines are wanted all the same */
  constructor(readonly showsAll: boolean) {}

  /** Whether this line, as JSON, is not to be written. */
  takes(json: string): boolean {
    if (this.#warnings === undefined) return false
    const { level } = JSON.parse(json) as { level: number }
    if (level < WARN) return !this.showsAll
    this.#warnings.push(json)
    return true
  }

  /** From here on nothing is taken. Returns the warnings so far. */
  end(): readonly string[] {
    const warnings = this.#warnings ?? []
    this.#warnings = undefined
    return warnings
  }
}
