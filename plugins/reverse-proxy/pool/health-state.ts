import type { UpstreamProblem } from './health-check.js'

export interface HealthThresholds {
  /** So many good checks in a row bring it back. */
  readonly rise: number
  /** So many bad signs in a row take it out, if none is certain. */
  readonly fall: number
}

/**
 * What is thought of one upstream, by its checks and by what happens to the requests that are sent to it. Nothing is thought of it
 * before its first check, which decides alone; until then it is not used.
 */
export class HealthState {
  #up: boolean | undefined
  #problem: UpstreamProblem | undefined
  /** Signs against what is thought of it, in a row. */
  #against = 0

  constructor(readonly rules: HealthThresholds) {}

  get isUp(): boolean {
    return this.#up === true
  }

  /** The last sign against it while it is out; undefined when it is not, or has not been looked at. */
  get problem(): UpstreamProblem | undefined {
    return this.#up === false ? this.#problem : undefined
  }

  /** A check is over. @returns whether it is thought of differently now */
  checked(problem: UpstreamProblem | undefined): boolean {
    if (problem !== undefined) return this.failed(problem)
    if (this.#up === true) {
      this.#against = 0
      return false
    }
    return this.#turn(true, this.#up === undefined || ++this.#against >= this.rules.rise)
  }

  /** It has failed, at a check or with somebody's request. */
  failed(problem: UpstreamProblem): boolean {
    this.#problem = problem
    if (this.#up === false) {
      this.#against = 0
      return false
    }
    return this.#turn(false, this.#up === undefined || problem.certain || ++this.#against >= this.rules.fall)
  }

  /** It has answered somebody's request. That alone does not bring it back: a gateway that drains answers as well. */
  succeeded(): void {
    if (this.#up === true) this.#against = 0
  }

  #turn(up: boolean, enough: boolean): boolean {
    if (!enough) return false
    this.#up = up
    this.#against = 0
    return true
  }
}
