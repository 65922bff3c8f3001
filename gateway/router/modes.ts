import { type PipeTable, Refusal } from '../../core/index.js'
import type { Registered } from '../host/handlers.js'
import type { Mode, Right } from '../host/plugin-api.js'
import { FAILURES } from '../http/failures.js'
import { isOff, type Parameters } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import { persistenceAfter } from '../http/response/persistence.js'
import type { Admission } from './admission.js'
import type { Exchange } from './exchange.js'
import type { Incoming, Outcome } from './incoming.js'
import type { RouterPlugins } from './options.js'

/** GET of a name with a parameter of a plugin (`?progress`): the plugin answers, and the request joins no pipe. */
export class ModeHandler {
  constructor(
    readonly table: PipeTable,
    readonly plugins: RouterPlugins | null,
    readonly admission: Admission,
  ) {}

  /** The mode that applies to this request, if any. A refusal when a mode failed in deciding that. */
  find(parameters: Parameters, { request, id }: Exchange): Registered<Mode> | Refusal | undefined {
    for (const mode of this.plugins?.modes.values() ?? []) {
      const value = parameters.get(mode.param)
      if (value === undefined || isOff(value)) continue
      try {
        if (mode.applies?.(request) ?? true) return mode
      } catch (error) {
        return mode.boundary.fault(id, error)
      }
    }
    return undefined
  }

  /** What is shown to those who come to a name to look; undefined when there is nothing to show. */
  get landing(): Registered<Mode> | undefined {
    for (const mode of this.plugins?.modes.values() ?? []) if (mode.landing === true) return mode
    return undefined
  }

  handle(incoming: Incoming, name: string, mode: Registered<Mode>): Outcome {
    const { exchange, framing } = incoming
    const context = incoming.context!
    if (framing.length !== 0) return new Refusal(FAILURES.bodyNotWanted)
    const failed = (error: unknown) => mode.boundary.fault(exchange.id, error)
    const accept = exchange.request.header('accept')
    let right: Right
    try {
      right = mode.right?.(exchange.request) ?? 'watch'
    } catch (error) {
      return failed(error)
    }
    const role = { side: 'watcher', right, isPage: mode.page === true } as const
    const proceed = (request: RequestView) => {
      if (mode.landing === true) this.table.looked(context.key)
      const reply = exchange.toReply(accept, persistenceAfter(framing), failed)
      mode.handle(request, reply, context, this.table.get(context.key))
      return undefined
    }
    if (mode.open === true) return this.admission.admitUnasked(incoming, context, role, name, proceed)
    return this.admission.admit(incoming, role, name, proceed)
  }
}
