import { type PipeTable, Refusal } from '../../core/index.js'
import { RequestContext } from '../host/request-context.js'
import { readAddress } from '../http/address.js'
import { FAILURES } from '../http/failures.js'
import { isBrowsing, isPreview, lookAhead } from '../http/onlookers.js'
import { Parameters, show } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import { Admission } from './admission.js'
import { AnswerIds } from './answer-ids.js'
import { ClaimHandler } from './claims.js'
import type { Exchange } from './exchange.js'
import { type Incoming, type Outcome, respond } from './incoming.js'
import { AnswerAndServeHandler } from './join/answer-and-serve.js'
import { AskerHandler } from './join/asker.js'
import { isWholePeer } from './join/duplex/duplex-options.js'
import { PeerHandler } from './join/duplex/peer.js'
import { PeerSocketHandler } from './join/duplex/peer-socket-handler.js'
import { LinesProducerHandler } from './join/queue/lines-producer-handler.js'
import { LinesWorkerHandler } from './join/queue/lines-worker-handler.js'
import { ReceiverHandler } from './join/receiver.js'
import { SenderHandler } from './join/sender.js'
import { PublisherHandler } from './join/topic/publisher.js'
import { SubscriberHandler } from './join/topic/subscriber.js'
import { readKind } from './kinds.js'
import { ANSWER_METHODS, allow, methodNotAllowed, NAME_METHODS, PEER_METHODS, WEBSOCKET_METHODS } from './methods.js'
import { ModeHandler } from './modes.js'
import type { RouterOptions, RouterPlugins } from './options.js'
import { PageGuard } from './page-guard.js'
import { ReservedNameHandler } from './reserved-names.js'
import { RouteHandler } from './routes.js'

/** What an upload to a name with `serve` has to say. */
const ANSWER_ID = 'what follows answer= in the X-Pipe-Answer of the question; a worker without one asks with GET'

/** Answers each request, or hands it over to a pipe or a plugin. */
export class Router {
  readonly #guard: PageGuard
  readonly #claims: ClaimHandler
  readonly #routes: RouteHandler
  readonly #modes: ModeHandler
  readonly #reservedNames: ReservedNameHandler
  readonly #senders: SenderHandler
  readonly #receivers: ReceiverHandler
  readonly #publishers: PublisherHandler
  readonly #subscribers: SubscriberHandler
  readonly #linesProducers: LinesProducerHandler
  readonly #linesWorkers: LinesWorkerHandler
  readonly #askers: AskerHandler
  readonly #answerers: AnswerAndServeHandler
  readonly #peers: PeerHandler
  readonly #peerSockets: PeerSocketHandler

  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly plugins: RouterPlugins | null = null,
  ) {
    const clientHost = options.hosts.clientHost.bind(options.hosts)
    this.#guard = new PageGuard(plugins?.pageOrigins ?? [], clientHost)
    const admission = new Admission(plugins, options, this.#guard)
    this.#claims = new ClaimHandler(plugins, admission, options)
    this.#routes = new RouteHandler(plugins, options)
    this.#modes = new ModeHandler(table, plugins, admission)
    this.#reservedNames = new ReservedNameHandler(options, this.#routes, this.#modes)
    const answerIds = new AnswerIds()
    this.#senders = new SenderHandler(table, options, admission, answerIds)
    this.#askers = new AskerHandler(table, options, admission, answerIds)
    this.#answerers = new AnswerAndServeHandler(table, options, admission, answerIds)
    this.#peers = new PeerHandler(table, options, admission)
    this.#peerSockets = new PeerSocketHandler(table, options, admission)
    this.#receivers = new ReceiverHandler(table, options, admission)
    this.#publishers = new PublisherHandler(table.topics, options, admission)
    this.#linesProducers = new LinesProducerHandler(table, options, admission)
    this.#linesWorkers = new LinesWorkerHandler(table, options, admission)
    this.#subscribers = new SubscriberHandler(table.topics, options, admission)
  }

  /** Claimed requests that are not over. */
  get claimed(): number {
    return this.#claims.open
  }

  handle(exchange: Exchange): void {
    const { request, framing } = exchange
    const context = this.#newContext(exchange)
    if (framing instanceof Refusal) {
      if (context !== null) context.refusedBy = 'gateway'
      // Nobody knows where this body ends and the next request begins.
      exchange.refuse(framing, request.header('accept'), 'close')
      return
    }
    const unserved = this.options.hosts.unserved(request)
    if (unserved !== undefined) {
      const refusal = new Refusal(FAILURES.unknownHost, { found: show(unserved) })
      respond(exchange, refusal, request.header('accept'), framing)
      return
    }
    const claim = this.#claims.find(exchange)
    if (claim !== undefined && !(claim instanceof Refusal)) context!.claimedBy = claim.boundary.plugin
    const verdict = this.plugins?.admission.request(request, context!)
    const incoming = { exchange, framing, context }
    const outcome = verdict ?? this.#dispatch(incoming, claim)
    if (outcome !== undefined) respond(exchange, outcome, request.header('accept'), framing)
  }

  /** The request as plugins see it; null when there are none. */
  #newContext(exchange: Exchange): RequestContext | null {
    if (this.plugins === null) return null
    const context = new RequestContext(exchange, this.options.onFault)
    const { onRefused, onRequestEnded } = this.plugins.events
    if (onRefused !== null) exchange.onRefused = (refusal) => onRefused(refusal.failure, context)
    exchange.onOver = (record) => {
      onRequestEnded?.(record, context)
      context.end()
    }
    return context
  }

  #dispatch(incoming: Incoming, claim: ReturnType<ClaimHandler['find']>): Outcome {
    if (claim === undefined) return this.#dispatchByAddress(incoming)
    return claim instanceof Refusal ? claim : this.#claims.handle(incoming, claim)
  }

  #dispatchByAddress(incoming: Incoming): Outcome {
    const { request } = incoming.exchange
    const address = readAddress(request.path, this.options)
    if (address instanceof Refusal) return address
    if (address.kind === 'reserved') return this.#reservedNames.handle(incoming, address)
    const routes = this.#routes.find(address)
    if (routes !== undefined) return this.#routes.handle(incoming, address, routes)
    return this.#dispatchByMethod(incoming, address.name)
  }

  #dispatchByMethod(incoming: Incoming, name: string): Outcome {
    const { request } = incoming.exchange
    switch (request.method) {
      case 'PUT':
      case 'POST':
        return this.#send(incoming, name)
      case 'GET':
      case 'HEAD':
        return this.#receiveOrWatch(incoming, name)
      case 'OPTIONS':
        return allow(NAME_METHODS)
      default:
        return methodNotAllowed(request, NAME_METHODS)
    }
  }

  #send(incoming: Incoming, name: string): Outcome {
    const parameters = new Parameters(incoming.exchange.request.query)
    const kind = readKind(parameters, incoming.exchange.request)
    if (kind instanceof Refusal) return kind
    const answerId = parameters.get('answer')
    switch (kind) {
      case 'topic':
        return this.#publishers.handle(incoming, name, parameters)
      case 'ask':
        return this.#askers.handle(incoming, name, parameters)
      case 'queue':
        return this.#queue(parameters, this.#linesProducers, this.#senders, incoming, name)
      case 'answer':
        return this.#senders.answer(incoming, name, parameters, answerId!)
      case 'serve':
        if (answerId !== undefined) return this.#answerers.handle(incoming, name, parameters, answerId)
        return new Refusal(FAILURES.badParameter, { name: 'answer', found: '', expected: ANSWER_ID })
      case 'duplex':
        return isWholePeer(parameters)
          ? this.#peers.handle(incoming, name, parameters)
          : this.#senders.handle(incoming, name, parameters, kind)
      case 'ws':
        return methodNotAllowed(incoming.exchange.request, WEBSOCKET_METHODS)
      default:
        return this.#senders.handle(incoming, name, parameters, kind)
    }
  }

  #receiveOrWatch(incoming: Incoming, name: string): Outcome {
    const { request } = incoming.exchange
    const purpose = lookAhead(request)
    if (purpose !== undefined) return new Refusal(FAILURES.onlyLooks, { found: show(purpose) })
    const parameters = new Parameters(request.query)
    const mode = this.#modes.find(parameters, incoming.exchange)
    if (mode instanceof Refusal) return mode
    const kind = mode === undefined ? readKind(parameters, request) : 'pipe'
    if (kind instanceof Refusal) return kind
    if (request.method === 'HEAD' && mode?.head !== true) return methodNotAllowed(request, NAME_METHODS)
    if (mode !== undefined) return this.#modes.handle(incoming, name, mode)
    const isRobot = isPreview(request)
    if (isRobot || this.#comesToLook(request, parameters)) {
      const { landing } = this.#modes
      if (landing !== undefined) return this.#modes.handle(incoming, name, landing)
      if (isRobot) return new Refusal(FAILURES.onlyLooks, { found: show(request.header('user-agent')) })
    }
    if (kind === 'topic') return this.#subscribers.handle(incoming, name, parameters)
    if (kind === 'ask') return this.#askers.handle(incoming, name, parameters)
    if (kind === 'answer' || (kind === 'serve' && parameters.get('answer') !== undefined)) {
      return methodNotAllowed(request, ANSWER_METHODS)
    }
    if (kind === 'ws') return this.#peerSockets.handle(incoming, name, parameters)
    if (kind === 'duplex' && isWholePeer(parameters)) return methodNotAllowed(request, PEER_METHODS)
    if (kind === 'queue') return this.#queue(parameters, this.#linesWorkers, this.#receivers, incoming, name)
    return this.#receivers.handle(incoming, name, parameters, kind === 'serve' ? 'ask' : kind)
  }

  /** Many jobs in one request, or one. */
  #queue(
    parameters: Parameters,
    many: LinesProducerHandler | LinesWorkerHandler,
    one: SenderHandler | ReceiverHandler,
    incoming: Incoming,
    name: string,
  ): Outcome {
    const hasLines = parameters.switch('lines')
    if (hasLines instanceof Refusal) return hasLines
    return hasLines ? many.handle(incoming, name, parameters) : one.handle(incoming, name, parameters, 'queue')
  }

  /** A browser that has been led to the name, by a link or by what somebody typed, and has not said that it shall save what is there. */
  #comesToLook(request: RequestView, parameters: Parameters): boolean {
    if (this.#guard.isSentHere(request)) return true
    return isBrowsing(request) && parameters.switch('download') !== true
  }
}
