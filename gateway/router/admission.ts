import { Refusal } from '../../core/index.js'
import type { Join } from '../host/plugin-api.js'
import type { RequestContext } from '../host/request-context.js'
import { FAILURES } from '../http/failures.js'
import { CopiedRequest } from '../http/request-copy.js'
import type { RequestView } from '../http/request-view.js'
import { type Incoming, type Outcome, respond } from './incoming.js'
import type { RouterOptions, RouterPlugins } from './options.js'
import type { PageGuard } from './page-guard.js'

/** The side that a request asks to be, and the right that it needs for that. */
export interface Role extends Pick<Join, 'side' | 'right'> {
  /** A browser that goes there is shown a page, or something that has nothing to do with pipes. */
  readonly isPage?: boolean
}

/** Continues with a request that has been admitted. The view is a copy when the decision came later. */
export type Proceed = (request: RequestView) => Outcome

/** Asks the plugins whether a request may join a pipe, watch one, or be a claim's. */
export class Admission {
  constructor(
    readonly plugins: RouterPlugins | null,
    readonly options: Pick<RouterOptions, 'onFault' | 'memory'>,
    readonly guard: PageGuard,
  ) {}

  /**
   * Calls `proceed` if all plugins agree; otherwise returns the refusal or answer of the one that does not. If a plugin
   * decides asynchronously, both happen later.
   * @param hold called when the decision will come later, so that the request's body is held until then. While there is no
   * memory for that, the request is refused
   */
  admit(incoming: Incoming, role: Role, name: string, proceed: Proceed, hold: () => void = () => {}): Outcome {
    const { exchange, context, framing } = incoming
    // Now, for its headers are gone when plugins decide later; and it counts only if no plugin knows who this is.
    const foreign = this.guard.refusal(exchange.request, role.isPage)
    if (context === null || this.plugins === null) return foreign ?? proceed(exchange.request)
    const { admission } = this.plugins
    context.joinsAs(role, name)
    const verdict = admission.admit(exchange.request, context)
    if (verdict !== undefined) return verdict
    if (!admission.isAsync) return enter(context, proceed, exchange.request, foreign)
    const accept = exchange.request.header('accept')
    const isOfPipe = role.side === 'sender' || role.side === 'receiver'
    const { memory } = this.options
    // One read, which is no longer than a slab.
    const mayBring = Math.min(framing.length ?? Number.POSITIVE_INFINITY, memory.slabBytes)
    if (!memory.reserve(mayBring)) return new Refusal(FAILURES.noMemory)
    const copy = new CopiedRequest(exchange.request, isOfPipe ? admission.reads : undefined)
    hold()
    void this.#decide(context, copy, proceed, foreign, mayBring).then((late) => {
      if (late !== undefined && !context.over) respond(exchange, late, accept, framing)
    })
    return undefined
  }

  /** The same without asking any plugin. */
  admitUnasked({ exchange }: Incoming, context: RequestContext, role: Role, name: string, proceed: Proceed): Outcome {
    context.joinsAs(role, name)
    return enter(context, proceed, exchange.request)
  }

  /** Never rejects: nobody would be left to answer the client. */
  async #decide(
    context: RequestContext,
    copy: CopiedRequest,
    proceed: Proceed,
    foreign: Refusal | undefined,
    mayBring: number,
  ): Promise<Outcome> {
    const verdict = await this.plugins!.admission.admitAsync(copy, context)
    this.options.memory.unreserve(mayBring)
    if (verdict !== undefined || context.over) return verdict
    try {
      return enter(context, proceed, copy, foreign)
    } catch (error) {
      this.options.onFault(error)
      return new Refusal(FAILURES.internal, { id: context.id })
    }
  }
}

function enter(context: RequestContext, proceed: Proceed, request: RequestView, foreign?: Refusal): Outcome {
  if (foreign !== undefined && !context.isAuthenticated) return foreign
  context.admit()
  return proceed(request)
}
