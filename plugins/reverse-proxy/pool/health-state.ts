import type { UpstreamProblem } from './health-check.js'

export interface HealthThresholds {
  /** This many good checks in a row bring it back. */
  readonly rise: number
  /** This many failures in a row take it out, unless one is certain. */
  readonly fall: number
}

/**
 * Whether one upstream is up, by its checks and by what happens to the requests that are sent to it. Its first check decides alone;
 * before that its state is unknown, and it is not used.
 */
export class HealthState {
  #up: boolean | undefined
  #problem: UpstreamProblem | undefined
  /** Signs against the present state, in a row. */
  #contrary = 0

  constructor(readonly rules: HealthThresholds) {}

  get isUp(): boolean {
    return this.#up === true
  }

  /** Why it is down; undefined when it is up, or has not been checked. */
  get problem(): UpstreamProblem | undefined {
    return this.#up === false ? this.#problem : undefined
  }

  /** A check is over. @returns whether the state has changed */
  checked(problem: UpstreamProblem | undefined): boolean {
    if (problem !== undefined) return this.failed(problem)
    if (this.#up === true) {
      this.#contrary = 0
      return false
    }
    return this.#turn(true, this.#up === undefined || ++this.#contrary >= this.rules.rise)
  }

  /** It has failed, at a check or with a request. @returns whether the state has changed */
  failed(problem: UpstreamProblem): boolean {
    this.#problem = problem
    if (this.#up === false) {
      this.#contrary = 0
      return false
    }
    return this.#turn(false, this.#up === undefined || problem.certain || ++this.#contrary >= this.rules.fall)
  }

  /** It has answered a request. That alone does not bring it back: a gateway that drains answers as well. */
  succeeded(): void {
    if (this.#up === true) this.#contrary = 0
  }

  #turn(up: boolean, enough: boolean): boolean {
    if (!enough) return false
    this.#up = up
    this.#contrary = 0
    return true
  }
}
