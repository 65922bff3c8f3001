import { Refusal } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import type { Answer } from '../http/response/answer.js'
import { refusalAnswer } from '../http/response/failure-answer.js'
import { validateAnswer } from '../http/response/validation.js'
import type { Logger } from '../log/log.js'

/** The same event hook's defects are logged at most once in this time. */
const LOG_AGAIN_MS = 60_000

/** What an admission hook decides; undefined: the request goes on. */
export type Decision = Refusal | Answer | undefined

/** Stands between the gateway and one hook or handler of one plugin: whatever that does, the gateway goes on. */
export class ErrorBoundary {
  #loggedAt = Number.NEGATIVE_INFINITY

  constructor(
    readonly plugin: string,
    readonly hook: string,
    readonly log: Logger,
  ) {}

  /** Calls an admission hook. One that throws, returns no verdict, or returns a promise refuses the request. */
  decide(id: number, hook: () => unknown): Decision {
    try {
      const verdict = hook()
      if (!isPromise(verdict)) return checkedVerdict(verdict)
      // What it rejects with must not end the process.
      verdict.then(undefined, () => {})
      throw new TypeError('it returned a promise; a hook that has to wait is onAdmitAsync')
    } catch (error) {
      return this.fault(id, error)
    }
  }

  /** Calls an asynchronous admission hook. Its failure is ignored when nobody waits for it any more. Never rejects. */
  async decideAsync(id: number, signal: AbortSignal, hook: () => unknown): Promise<Decision> {
    try {
      return checkedVerdict(await hook())
    } catch (error) {
      return signal.aborted ? undefined : this.fault(id, error)
    }
  }

  /** Calls an event hook. */
  notify(hook: (...args: unknown[]) => unknown, args: readonly unknown[]): void {
    try {
      const result = hook(...args)
      if (isPromise(result)) result.then(undefined, this.#log)
    } catch (error) {
      this.#log(error)
    }
  }

  /** Logs a defect, and returns the refusal for the request that met it. */
  fault(id: number, error: unknown): Refusal {
    const { plugin, hook } = this
    this.log.error({ err: error, plugin, hook, id }, 'a plugin failed, and the request was refused')
    return new Refusal(FAILURES.pluginFault, { plugin, id })
  }

  readonly #log = (error: unknown): void => {
    if (performance.now() - this.#loggedAt < LOG_AGAIN_MS) return
    this.#loggedAt = performance.now()
    this.log.error({ err: error, plugin: this.plugin, hook: this.hook }, 'a plugin failed where it is only told')
  }
}

/** Runs a plugin's code and reports its failure, whether it throws or rejects later. */
export function attempt(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = run()
    if (isPromise(result)) result.then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}

/** @throws TypeError or RangeError when it is none: `false` must not be taken for "go on" */
function checkedVerdict(verdict: unknown): Decision {
  return verdict === undefined ? undefined : checkedReply(verdict)
}

/** Something that can be sent to a client. @throws TypeError or RangeError when it is neither a refusal nor an answer */
export function checkedReply(reply: unknown): Refusal | Answer {
  if (!(reply instanceof Refusal)) return validateAnswer(reply)
  validateAnswer(refusalAnswer(reply, ''))
  return reply
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function'
}
