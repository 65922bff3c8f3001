import { Refusal } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import type { Answer } from '../http/response/answer.js'
import { refusalAnswer } from '../http/response/failure-answer.js'
import { validateAnswer } from '../http/response/validation.js'
import type { Logger } from '../log/log.js'

/** The same defect of a teller is logged once in this time. */
const SAY_AGAIN_MS = 60_000

type Said = Refusal | Answer | undefined

/** Stands between the gateway and one hook of one plugin: whatever the hook does, the gateway goes on. */
export class ErrorBoundary {
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(
    readonly plugin: string,
    readonly hook: string,
    readonly log: Logger,
  ) {}

  /** Calls a gate. One that throws, says something that is no verdict, or does not decide at once, refuses. */
  gate(id: number, decide: () => unknown): Said {
    try {
      const verdict = decide()
      if (!isPromise(verdict)) return soundVerdict(verdict)
      // What it rejects with must not end the process.
      verdict.then(undefined, () => {})
      throw new TypeError('it returned a promise; a hook that has to wait is onAdmitAsync')
    } catch (error) {
      return this.fault(id, error)
    }
  }

  /** Calls a gate that may take its time. What it fails with when nobody waits any more is nobody's business. Never rejects. */
  async gateAsync(id: number, signal: AbortSignal, decide: () => unknown): Promise<Said> {
    try {
      return soundVerdict(await decide())
    } catch (error) {
      return signal.aborted ? undefined : this.fault(id, error)
    }
  }

  /** Calls what is only told. */
  tell(hook: (...what: unknown[]) => unknown, what: readonly unknown[]): void {
    try {
      const result = hook(...what)
      if (isPromise(result)) result.then(undefined, this.#say)
    } catch (error) {
      this.#say(error)
    }
  }

  fault(id: number, error: unknown): Refusal {
    const { plugin, hook } = this
    this.log.error({ err: error, plugin, hook, id }, 'a plugin failed, and the request was refused')
    return new Refusal(FAILURES.pluginFault, { plugin, id })
  }

  readonly #say = (error: unknown): void => {
    if (performance.now() - this.#saidAt < SAY_AGAIN_MS) return
    this.#saidAt = performance.now()
    this.log.error({ err: error, plugin: this.plugin, hook: this.hook }, 'a plugin failed where it is only told')
  }
}

/** Runs what a plugin wrote, and hears of its failure, be it at once or later. */
export function attempt(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = run()
    if (isPromise(result)) result.then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}

/** @throws TypeError or RangeError when it is none: `false` must not be taken for "go on" */
function soundVerdict(verdict: unknown): Said {
  return verdict === undefined ? undefined : soundReply(verdict)
}

/** What can be said to a client. @throws TypeError or RangeError when it is neither a refusal nor an answer */
export function soundReply(said: unknown): Refusal | Answer {
  if (!(said instanceof Refusal)) return validateAnswer(said)
  validateAnswer(refusalAnswer(said, ''))
  return said
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function'
}
