import { Refusal } from '../../core/index.js'
import type { Registered } from '../host/handlers.js'
import type { Claim, Right } from '../host/plugin-api.js'
import { canonicalName } from '../http/address.js'
import { FAILURES } from '../http/failures.js'
import type { RequestView } from '../http/request-view.js'
import type { Admission } from './admission.js'
import type { Exchange } from './exchange.js'
import type { Incoming, Outcome } from './incoming.js'
import { SAFE_METHODS } from './methods.js'
import type { RouterOptions, RouterPlugins } from './options.js'

/** Requests that a plugin claims: they have nothing to do with pipes. */
export class ClaimHandler {
  /** Claimed requests that are not over. */
  open = 0

  constructor(
    readonly plugins: RouterPlugins | null,
    readonly admission: Admission,
    readonly options: Pick<RouterOptions, 'isDraining' | 'memory'>,
  ) {}

  /** The claim that takes this request, if any. A refusal when a claim failed in deciding that. */
  find({ request, id }: Exchange): Registered<Claim> | Refusal | undefined {
    const all = this.plugins?.claims ?? null
    if (all === null) return undefined
    for (const claim of all) {
      try {
        if (claim.claims(request)) return claim
      } catch (error) {
        return claim.boundary.fault(id, error)
      }
    }
    return undefined
  }

  handle(incoming: Incoming, claim: Registered<Claim>): Outcome {
    if (this.options.isDraining()) return new Refusal(FAILURES.shuttingDown)
    const { exchange, framing } = incoming
    const context = incoming.context!
    const { request } = exchange
    const failed = (error: unknown) => claim.boundary.fault(exchange.id, error)
    const accept = request.header('accept')
    let right: Right
    let name: string
    try {
      right = claim.right?.(request) ?? (SAFE_METHODS.has(request.method) ? 'receive' : 'send')
      name = claim.name?.(request) ?? canonicalName(request.path.slice(1))
    } catch (error) {
      return failed(error)
    }
    let reply: ReturnType<Exchange['toReply']> | undefined
    const hold = () => {
      reply = exchange.toReply(accept, 'keep', failed, framing)
    }
    const proceed = (kept: RequestView) => {
      const expected = context.limits?.maxBytes ?? Number.POSITIVE_INFINITY
      const found = framing.length ?? 0
      if (found > expected) return new Refusal(FAILURES.tooLarge, { found, expected })
      const { offer } = exchange
      const upgrades = offer !== undefined && claim.upgrade !== undefined
      // Before anybody else has been asked. What it brings has to be kept when nobody takes it, and its client cannot be paused.
      if (upgrades && this.options.memory.isScarce) return new Refusal(FAILURES.noMemory)
      if (reply === undefined) hold()
      reply!.limit(context.limits)
      this.open++
      context.onOver(() => this.open--)
      if (!upgrades) claim.handle(kept, reply!.body, reply!, context)
      else claim.upgrade!(kept, { protocols: offer.protocols, accept: reply!.accept.bind(reply) }, reply!, context)
      return undefined
    }
    return this.admission.admit(incoming, { side: 'client', right, isPage: true }, name, proceed, hold)
  }
}
