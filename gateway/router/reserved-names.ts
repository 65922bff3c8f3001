import { Refusal } from '../../core/index.js'
import type { Address } from '../http/address.js'
import { FAILURES } from '../http/failures.js'
import { Parameters, show } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import { type Answer, jsonAnswer, retryAfter, textAnswer } from '../http/response/answer.js'
import { helpText } from './help.js'
import type { Incoming, Outcome } from './incoming.js'
import { allow, isUpload, methodNotAllowed, RESERVED_METHODS } from './methods.js'
import type { ModeHandler } from './modes.js'
import type { RouterOptions } from './options.js'
import type { RouteHandler } from './routes.js'

/** Names that no pipe can have. Plugins may answer there; otherwise the gateway has `/`, `/help`, `/version` and `/health`. */
export class ReservedNameHandler {
  constructor(
    readonly options: RouterOptions,
    readonly routes: RouteHandler,
    readonly modes: ModeHandler,
  ) {}

  handle(incoming: Incoming, address: Address & { kind: 'reserved' }): Outcome {
    const { request } = incoming.exchange
    const { name, underPrefix } = address
    const found = name === '' ? '/' : name
    if (isUpload(request)) return new Refusal(FAILURES.reservedName, { found })
    if (request.method === 'OPTIONS') return allow(RESERVED_METHODS)
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed(request, RESERVED_METHODS)
    const mode = this.modes.find(new Parameters(request.query), incoming.exchange)
    if (mode instanceof Refusal) return mode
    if (mode !== undefined) return new Refusal(FAILURES.reservedName, { found })
    const routes = this.routes.find(address)
    if (routes !== undefined) return this.routes.handle(incoming, address, routes)
    if (name === 'health' && underPrefix) return this.health()
    if (name === 'version') return textAnswer(200, `${this.options.version}\n`)
    if (name === '' || name === 'help') return textAnswer(200, helpText(request, this.options))
    const { prefix } = this.options
    const elsewhere = !underPrefix && (name === 'health' || name === 'metrics')
    const instead = `${prefix}/${elsewhere ? name : 'help'}`
    return new Refusal(FAILURES.notHere, { found: show(request.path), instead })
  }

  /** Whether it asks for nothing but the gateway's health, which supervisors may do who cannot show a certificate. */
  isHealth({ method, path }: RequestView): boolean {
    return (
      (method === 'GET' || method === 'HEAD') && path === `${this.options.prefix}/health` && this.options.prefix !== ''
    )
  }

  health(): Answer {
    const { status, body } = this.options.health()
    return jsonAnswer(status, body, retryAfter(status))
  }
}
