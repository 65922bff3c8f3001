import { Refusal } from '../core/index.js'
import { FAILURES } from './failures.js'
import type { Logger } from './log.js'
import type { Verdict } from './plugin-api.js'

/** The same defect of a teller is logged once in this time. */
const SAY_AGAIN_MS = 60_000

/** Stands between the gateway and one hook of one plugin: whatever the hook does, the gateway goes on. */
export class Guard {
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(
    readonly plugin: string,
    readonly hook: string,
    readonly log: Logger,
  ) {}

  /** Calls a gate. One that throws, or does not decide at once, refuses. */
  gate(id: number, decide: () => Verdict | Promise<unknown>): Verdict {
    try {
      const verdict = decide()
      if (!isPromise(verdict)) return verdict
      // What it rejects with must not end the process.
      verdict.then(undefined, () => {})
      throw new TypeError('it returned a promise; a hook that has to wait is onAdmitAsync')
    } catch (error) {
      return this.fault(id, error)
    }
  }

  /** Calls a teller. */
  tell(inform: () => unknown): void {
    try {
      const result = inform()
      if (isPromise(result)) result.then(undefined, (error: unknown) => this.#say(error))
    } catch (error) {
      this.#say(error)
    }
  }

  fault(id: number, error: unknown): Refusal {
    const { plugin, hook } = this
    this.log.error({ err: error, plugin, hook, id }, 'a plugin failed, and the request was refused')
    return new Refusal(FAILURES.pluginFault, { plugin, id })
  }

  #say(error: unknown): void {
    if (performance.now() - this.#saidAt < SAY_AGAIN_MS) return
    this.#saidAt = performance.now()
    this.log.error({ err: error, plugin: this.plugin, hook: this.hook }, 'a plugin failed where it is only told')
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}
