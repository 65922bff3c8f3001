import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { RequestView } from '../../http/request-view.js'
import type { Answer } from '../../http/response/answer.js'
import type { Logger } from '../../log/log.js'
import type { RequestCopy } from '../api/hooks.js'
import type { Decision, ErrorBoundary } from '../error-boundary.js'
import type { RequestContext } from '../request-context.js'
import { type BoundHook, hooksNamed, type PluginHooks } from './plugin-hooks.js'

/** The hooks that may refuse a request. */
export class AdmissionHooks {
  /** Whether a side has to be held until an asynchronous hook has decided. */
  readonly isAsync: boolean
  /** Request headers that have to be copied for that. */
  readonly reads: ReadonlySet<string>
  readonly #request
  readonly #admit
  readonly #admitAsync

  /** @param decideMs how long all asynchronous hooks together may take */
  constructor(
    plugins: readonly PluginHooks[],
    log: Logger,
    readonly decideMs: number,
  ) {
    this.#request = hooksNamed(plugins, 'onRequest', log)
    this.#admit = hooksNamed(plugins, 'onAdmit', log)
    this.#admitAsync = hooksNamed(plugins, 'onAdmitAsync', log)
    this.isAsync = this.#admitAsync !== null
    this.reads = new Set(plugins.flatMap((each) => (each.hooks.onAdmitAsync === undefined ? [] : each.reads)))
  }

  request(request: RequestView, context: RequestContext): Decision {
    return firstDecision(this.#request, request, context)
  }

  admit(request: RequestView, context: RequestContext): Decision {
    return firstDecision(this.#admit, request, context)
  }

  /** Resolves with the decision, at the latest when the time is over or the client has gone. Never rejects. */
  async admitAsync(request: RequestCopy, context: RequestContext): Promise<Decision> {
    const control = new AbortController()
    const { signal } = control
    const tooLate = new Promise<Refusal>((resolve) => {
      signal.addEventListener('abort', () => resolve(new Refusal(FAILURES.admitTimeout)), { once: true })
    })
    const deadline = setTimeout(() => control.abort(), this.decideMs)
    context.onOver(() => control.abort())
    try {
      for (const { hook, boundary } of this.#admitAsync ?? []) {
        const deciding = signal.aborted
          ? tooLate
          : boundary.decideAsync(context.id, signal, () => hook(request, context, signal))
        const decision = await Promise.race([tooLate, deciding])
        if (decision !== undefined) return decidedBy(context, boundary, decision)
      }
      return undefined
    } finally {
      clearTimeout(deadline)
    }
  }
}

/** Calls one hook after the other until one decides. */
function firstDecision(
  hooks: readonly BoundHook<'onRequest' | 'onAdmit'>[] | null,
  request: RequestView,
  context: RequestContext,
): Decision {
  if (hooks === null) return undefined
  for (const { hook, boundary } of hooks) {
    const decision = boundary.decide(context.id, () => hook(request, context))
    if (decision !== undefined) return decidedBy(context, boundary, decision)
  }
  return undefined
}

function decidedBy(context: RequestContext, { plugin }: ErrorBoundary, decision: Refusal | Answer): Refusal | Answer {
  context.refusedBy = plugin
  return decision
}
