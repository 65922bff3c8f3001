import type { Trouble } from './health-check.js'

export interface StandingRules {
  /** So many good checks in a row bring it back. */
  readonly rise: number
  /** So many bad signs in a row take it out, if none is certain. */
  readonly fall: number
}

/**
 * What is thought of one upstream, by its checks and by what happens to the requests that are sent to it. Nothing is thought of it
 * before its first check, which decides alone; until then it is not used.
 */
export class Standing {
  #up: boolean | undefined
  #trouble: Trouble | undefined
  /** Signs against what is thought of it, in a row. */
  #against = 0

  constructor(readonly rules: StandingRules) {}

  get isUp(): boolean {
    return this.#up === true
  }

  /** The last sign against it while it is out; undefined when it is not, or has not been looked at. */
  get trouble(): Trouble | undefined {
    return this.#up === false ? this.#trouble : undefined
  }

  /** A check is over. @returns whether it is thought of differently now */
  checked(trouble: Trouble | undefined): boolean {
    if (trouble !== undefined) return this.failed(trouble)
    if (this.#up === true) {
      this.#against = 0
      return false
    }
    return this.#turn(true, this.#up === undefined || ++this.#against >= this.rules.rise)
  }

  /** It has failed, at a check or with somebody's request. */
  failed(trouble: Trouble): boolean {
    this.#trouble = trouble
    if (this.#up === false) {
      this.#against = 0
      return false
    }
    return this.#turn(false, this.#up === undefined || trouble.certain || ++this.#against >= this.rules.fall)
  }

  /** It has answered somebody's request. That alone does not bring it back: a gateway that drains answers as well. */
  worked(): void {
    if (this.#up === true) this.#against = 0
  }

  #turn(up: boolean, enough: boolean): boolean {
    if (!enough) return false
    this.#up = up
    this.#against = 0
    return true
  }
}
