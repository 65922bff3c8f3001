import type { Failure, PipeObserver, PipeView, Side } from '../../core/index.js'
import { Refusal } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import type { RequestView } from '../http/request-view.js'
import type { Answer } from '../http/response/answer.js'
import type { Logger } from '../log/log.js'
import { ErrorBoundary } from './error-boundary.js'
import type { Hooks, RequestCopy, RequestRecord } from './plugin-api.js'
import type { RequestContext } from './request-context.js'

/** The hooks of one plugin. */
export interface Hooked {
  readonly name: string
  readonly hooks: Hooks
  /** Request headers that its asynchronous gate reads. */
  readonly reads: readonly string[]
}

type Name = keyof Hooks

const NAMES: Readonly<Record<Name, true>> = {
  onRequest: true,
  onAdmit: true,
  onAdmitAsync: true,
  onWaiting: true,
  onJoined: true,
  onLeft: true,
  onPaired: true,
  onProgress: true,
  onEnded: true,
  onRefused: true,
  onRequestEnded: true,
}
export const HOOK_NAMES = Object.keys(NAMES) as readonly Name[]

type Call<N extends Name> = { readonly hook: NonNullable<Hooks[N]>; readonly guard: ErrorBoundary }

/** One kind of hook of all plugins, in their order; null when there is none. */
function calls<N extends Name>(all: readonly Hooked[], name: N, log: Logger): readonly Call<N>[] | null {
  const found = all.flatMap((each) => {
    const hook = each.hooks[name]
    return hook === undefined ? [] : [{ hook, guard: new ErrorBoundary(each.name, name, log) }]
  })
  return found.length === 0 ? null : (found as readonly Call<N>[])
}

type Said = Refusal | Answer | undefined

/** What may say no. */
export class AdmissionHooks {
  /** Whether a side has to be held until somebody has decided. */
  readonly isAsync: boolean
  /** Request headers that have to be copied for that. */
  readonly reads: ReadonlySet<string>
  readonly #request
  readonly #admit
  readonly #admitAsync

  /** @param decideMs how long all asynchronous gates together may take */
  constructor(
    hooked: readonly Hooked[],
    log: Logger,
    readonly decideMs: number,
  ) {
    this.#request = calls(hooked, 'onRequest', log)
    this.#admit = calls(hooked, 'onAdmit', log)
    this.#admitAsync = calls(hooked, 'onAdmitAsync', log)
    this.isAsync = this.#admitAsync !== null
    this.reads = new Set(hooked.flatMap((each) => (each.hooks.onAdmitAsync === undefined ? [] : each.reads)))
  }

  request(request: RequestView, visit: RequestContext): Said {
    return firstSaid(this.#request, request, visit)
  }

  admit(request: RequestView, visit: RequestContext): Said {
    return firstSaid(this.#admit, request, visit)
  }

  /** Resolves with what was said, at the latest when the time is over or the client gone; never rejects. */
  async admitAsync(request: RequestCopy, visit: RequestContext): Promise<Said> {
    const control = new AbortController()
    const { signal } = control
    const late = new Promise<Refusal>((resolve) => {
      signal.addEventListener('abort', () => resolve(new Refusal(FAILURES.admitTimeout)), { once: true })
    })
    const deadline = setTimeout(() => control.abort(), this.decideMs)
    visit.onOver(() => control.abort())
    try {
      for (const { hook, guard } of this.#admitAsync ?? []) {
        const asked = signal.aborted ? late : guard.gateAsync(visit.id, signal, () => hook(request, visit, signal))
        const said = await Promise.race([late, asked])
        if (said !== undefined) return by(visit, guard, said)
      }
      return undefined
    } finally {
      clearTimeout(deadline)
    }
  }
}

/** Asks one after the other until somebody says something. */
function firstSaid(
  all: readonly Call<'onRequest' | 'onAdmit'>[] | null,
  request: RequestView,
  visit: RequestContext,
): Said {
  if (all === null) return undefined
  for (const { hook, guard } of all) {
    const said = guard.gate(visit.id, () => hook(request, visit))
    if (said !== undefined) return by(visit, guard, said)
  }
  return undefined
}

function by(visit: RequestContext, guard: ErrorBoundary, said: Refusal | Answer): Refusal | Answer {
  visit.refusedBy = guard.plugin
  return said
}

/** Who is only told. */
export class EventHooks {
  /** What the core tells; null when nobody listens. */
  readonly pipes: PipeObserver | null
  readonly onProgress: ((pipe: PipeView) => void) | null
  readonly onRefused: ((failure: Failure, visit: RequestContext) => void) | null
  readonly onRequestEnded: ((record: RequestRecord, visit: RequestContext) => void) | null

  constructor(hooked: readonly Hooked[], log: Logger) {
    const waiting = calls(hooked, 'onWaiting', log)
    const joined = calls(hooked, 'onJoined', log)
    const left = calls(hooked, 'onLeft', log)
    const paired = calls(hooked, 'onPaired', log)
    const ended = calls(hooked, 'onEnded', log)
    const progress = calls(hooked, 'onProgress', log)
    const refused = calls(hooked, 'onRefused', log)
    const requestEnded = calls(hooked, 'onRequestEnded', log)
    this.pipes = [waiting, joined, left, paired, ended].every((each) => each === null)
      ? null
      : {
          onWaiting: (pipe: PipeView) => tellAll(waiting, pipe),
          onJoined: (pipe: PipeView, side: Side) => tellAll(joined, pipe, side),
          onLeft: (pipe: PipeView, side: Side) => tellAll(left, pipe, side),
          onPaired: (pipe: PipeView) => tellAll(paired, pipe),
          onEnded: (pipe: PipeView) => tellAll(ended, pipe),
        }
    this.onProgress = progress && ((pipe) => tellAll(progress, pipe))
    this.onRefused = refused && ((failure, visit) => tellAll(refused, failure, visit.refusedBy, visit))
    this.onRequestEnded = requestEnded && ((record, visit) => tellAll(requestEnded, record, visit))
  }
}

function tellAll<N extends Name>(all: readonly Call<N>[] | null, ...what: Parameters<Call<N>['hook']>): void {
  if (all === null) return
  for (const { hook, guard } of all) guard.tell(hook as (...what: unknown[]) => unknown, what)
}
