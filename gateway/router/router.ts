import { type JoinOptions, type PipeTable, Refusal, type SenderJoinOptions } from '../../core/index.js'
import type { Registered } from '../host/handlers.js'
import { splitKey } from '../host/pipe-key.js'
import type { Claim, Join, Mode, Right, Route } from '../host/plugin-api.js'
import type { PluginHost } from '../host/plugin-host.js'
import { RequestContext } from '../host/request-context.js'
import { type Address, type AddressRules, canonicalName, readAddress } from '../http/address.js'
import { afterAnswer } from '../http/after-answer.js'
import {
  type Answer,
  type HeaderList,
  jsonAnswer,
  RefusalWithHeaders,
  retryAfter,
  textAnswer,
} from '../http/answers.js'
import { FAILURES } from '../http/failures.js'
import { type Framing, readFraming } from '../http/framing.js'
import { integer, Parameters, show } from '../http/parameters.js'
import { CopiedRequest } from '../http/request-copy.js'
import type { RequestView } from '../http/request-view.js'
import { TRANSFER_ID } from '../http/transfer-id.js'
import { readBoundary } from '../stream/multipart.js'
import { newSha256 } from '../stream/sha256.js'
import { receiverHeaders, streamHead } from '../stream/stream-head.js'
import type { Exchange } from './exchange.js'

export interface RouterOptions extends AddressRules {
  readonly maxReceivers: number
  /** How long a side waits when it does not say, in milliseconds. */
  readonly waitMs: number
  /** The longest stall that a receiver is allowed, in milliseconds. 0: no limit. */
  readonly stallMaxMs: number
  /** Answer senders only at the end unless they say otherwise. */
  readonly replyAtEnd: boolean
  readonly newTransferId: () => string
  /** A defect was caught where nobody could be told. */
  readonly onFault: (error: unknown) => void
  /** What the client of a request speaks. */
  readonly schemeOf: (request: RequestView) => 'http' | 'https'
  /** No new work is taken on. */
  readonly isDraining: () => boolean
  /** What `/health` says, and with which status. */
  readonly health: () => { readonly status: number; readonly body: unknown }
}

const MAX_WAIT_S = 3600
const MAX_STALL_S = 86_400
const NAME_METHODS = 'GET, POST, PUT, OPTIONS'
const RESERVED_METHODS = 'GET, HEAD, OPTIONS'

/** Methods that change nothing. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

const SENDER = { side: 'sender', right: 'send' } as const
const RECEIVER = { side: 'receiver', right: 'receive' } as const

/** A request that is being looked at. */
interface Asked {
  readonly exchange: Exchange
  readonly framing: Framing
  /** Null when no plugins are loaded. */
  readonly visit: RequestContext | null
}

/** What the client is told at once; undefined when somebody has taken the request over. */
type Said = Answer | Refusal | undefined

/** The part of the plugins that a request meets. */
export type Installed = Pick<PluginHost, 'admission' | 'events' | 'routes' | 'modes' | 'claims'>

/** Looks at one request and either answers it or endpoints it in a pipe. */
export class Router {
  readonly #plugins: Installed | null
  /** Claimed requests that are not over. */
  claimed = 0

  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    plugins: Installed | null = null,
  ) {
    this.#plugins = plugins
  }

  handle(exchange: Exchange): void {
    const { request } = exchange
    const visit = this.#visit(exchange)
    const claim = this.#claim(exchange)
    if (claim !== undefined && !(claim instanceof Refusal)) visit!.claimedBy = claim.boundary.plugin
    const said = this.#plugins?.admission.request(request, visit!)
    const framing = readFraming(request)
    if (framing instanceof Refusal) {
      if (visit !== null) visit.refusedBy = 'gateway'
      // Where this body ends, and the next request begins, is anybody's guess.
      exchange.refuse(framing, request.header('accept'), 'close')
      return
    }
    const asked = { exchange, framing, visit }
    const answer = said ?? (claim === undefined ? this.#route(asked) : this.#answerClaim(asked, claim))
    if (answer !== undefined) give(exchange, answer, request.header('accept'), framing)
  }

  /** What plugins know of this request; null when there are none. */
  #visit(exchange: Exchange): RequestContext | null {
    if (this.#plugins === null) return null
    const visit = new RequestContext(exchange, this.options.onFault)
    const { onRefused, onRequestEnded } = this.#plugins.events
    if (onRefused !== null) exchange.onRefused = (refusal) => onRefused(refusal.failure, visit)
    exchange.onOver = (record) => {
      onRequestEnded?.(record, visit)
      visit.end()
    }
    return visit
  }

  /** Who claims this request, if anybody does. A refusal when one who was asked has failed. */
  #claim({ request, id }: Exchange): Registered<Claim> | Refusal | undefined {
    const all = this.#plugins?.claims ?? null
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

  #answerClaim(asked: Asked, claim: Registered<Claim> | Refusal): Said {
    if (claim instanceof Refusal) return claim
    if (this.options.isDraining()) return new Refusal(FAILURES.shuttingDown)
    const { exchange, framing, visit } = asked
    const { request } = exchange
    const failed = (error: unknown) => claim.boundary.fault(exchange.id, error)
    const accept = request.header('accept')
    let right: Right
    let name: string
    try {
      right = claim.right?.(request) ?? (READS.has(request.method) ? 'receive' : 'send')
      name = claim.name?.(request) ?? canonicalName(request.path.slice(1))
    } catch (error) {
      return failed(error)
    }
    let reply: ReturnType<Exchange['toReply']> | undefined
    const hold = () => {
      reply = exchange.toReply(accept, 'keep', failed, framing)
    }
    const goOn = (kept: RequestView) => {
      const most = visit!.limits?.maxBytes ?? Number.POSITIVE_INFINITY
      const found = framing.length ?? 0
      if (found > most) return new Refusal(FAILURES.tooLarge, { found, expected: most })
      if (reply === undefined) hold()
      reply!.limit(visit!.limits)
      this.claimed++
      visit!.onOver(() => this.claimed--)
      const { offer } = exchange
      if (offer === undefined || claim.upgrade === undefined) claim.handle(kept, reply!.body, reply!, visit!)
      else claim.upgrade(kept, { protocols: offer.protocols, accept: reply!.accept.bind(reply) }, reply!, visit!)
      return undefined
    }
    return this.#admit(asked, { side: 'client', right }, name, goOn, hold)
  }

  /** The answer, or undefined when somebody has taken the request over. */
  #route(asked: Asked): Said {
    const { request } = asked.exchange
    const address = readAddress(request.path, this.options)
    if (address instanceof Refusal) return address
    const routes = this.#plugins?.routes.get(`/${address.name}`)
    if (address.kind === 'reserved') return this.#reserved(asked, address, routes)
    if (routes !== undefined) return this.#answerRoute(asked, routes, address)
    switch (request.method) {
      case 'PUT':
      case 'POST':
        return this.#send(asked, address.name)
      case 'GET':
      case 'HEAD':
        return this.#look(asked, address.name)
      case 'OPTIONS':
        return allow(NAME_METHODS)
      default:
        return notAllowed(request, NAME_METHODS)
    }
  }

  /** A path of a plugin's own. */
  #answerRoute({ exchange, framing, visit }: Asked, routes: readonly Registered<Route>[], address: Address): Said {
    const { request } = exchange
    const { underPrefix, name } = address
    if (!underPrefix && !routes.some((route) => route.bare === true)) {
      return new Refusal(FAILURES.notHere, { found: show(request.path), instead: `${this.options.prefix}/${name}` })
    }
    const methods = [
      ...new Set(routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
      'OPTIONS',
    ]
    if (request.method === 'OPTIONS') return allow(methods.join(', '))
    const wanted = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find(({ method }) => method === wanted)
    if (route === undefined) {
      if (address.kind === 'reserved' && sends(request)) return new Refusal(FAILURES.reservedName, { found: name })
      return notAllowed(request, methods.join(', '))
    }
    const failed = (error: unknown) => route.boundary.fault(exchange.id, error)
    route.handle(request, exchange.toReply(request.header('accept'), afterAnswer(framing), failed), visit!)
    return undefined
  }

  /** A receiver, or somebody who wants to see something of a pipe. */
  #look(asked: Asked, name: string): Said {
    const { request } = asked.exchange
    const parameters = new Parameters(request.query)
    const mode = this.#mode(parameters, asked.exchange)
    if (mode instanceof Refusal) return mode
    if (request.method === 'HEAD' && mode?.head !== true) return notAllowed(request, NAME_METHODS)
    return mode === undefined ? this.#receive(asked, name, parameters) : this.#answerMode(asked, name, mode)
  }

  #mode(parameters: Parameters, { request, id }: Exchange): Registered<Mode> | Refusal | undefined {
    for (const mode of this.#plugins?.modes.values() ?? []) {
      const value = parameters.get(mode.param)
      if (value === undefined || /^(0|false|no)$/i.test(value)) continue
      try {
        if (mode.applies?.(request) ?? true) return mode
      } catch (error) {
        return mode.boundary.fault(id, error)
      }
    }
    return undefined
  }

  #answerMode({ exchange, framing, visit }: Asked, name: string, mode: Registered<Mode>): Said {
    const join = visit!
    if (framing.length !== 0) return new Refusal(FAILURES.bodyNotWanted)
    const failed = (error: unknown) => mode.boundary.fault(exchange.id, error)
    const accept = exchange.request.header('accept')
    let right: Right
    try {
      right = mode.right?.(exchange.request) ?? 'watch'
    } catch (error) {
      return failed(error)
    }
    const who = { side: 'watcher', right } as const
    const goOn = (request: RequestView) => {
      const reply = exchange.toReply(accept, afterAnswer(framing), failed)
      mode.handle(request, reply, join, this.table.get(join.key))
      return undefined
    }
    if (mode.open !== true) return this.#admit({ exchange, framing, visit }, who, name, goOn)
    join.joinsAs(who, name)
    return letIn(join, goOn, exchange.request)
  }

  /**
   * Asks the gates whether a side may go on, and lets it; or says why not. When somebody cannot decide at once the side goes
   * on later, or is refused then.
   */
  #admit(
    asked: Asked,
    who: Pick<Join, 'side' | 'right'>,
    name: string,
    goOn: (request: RequestView) => Said,
    hold: () => void = () => {},
  ): Said {
    const { exchange, visit, framing } = asked
    if (visit === null || this.#plugins === null) return goOn(exchange.request)
    const { admission } = this.#plugins
    visit.joinsAs(who, name)
    const said = admission.admit(exchange.request, visit)
    if (said !== undefined) return said
    if (!admission.isAsync) return letIn(visit, goOn, exchange.request)
    const accept = exchange.request.header('accept')
    const isPipes = who.side === 'sender' || who.side === 'receiver'
    const copy = new CopiedRequest(exchange.request, isPipes ? admission.reads : undefined)
    hold()
    void this.#decide(asked, copy, goOn).then((late) => {
      if (late !== undefined && !visit.over) give(exchange, late, accept, framing)
    })
    return undefined
  }

  /** Never rejects: there is nobody who could answer then. */
  async #decide({ visit }: Asked, copy: CopiedRequest, goOn: (request: RequestView) => Said): Promise<Said> {
    const said = await this.#plugins!.admission.admitAsync(copy, visit!)
    if (said !== undefined || visit!.over) return said
    try {
      return letIn(visit!, goOn, copy)
    } catch (error) {
      this.options.onFault(error)
      return new Refusal(FAILURES.internal, { id: visit!.id })
    }
  }

  #send(asked: Asked, name: string): Said {
    const { exchange, framing, visit } = asked
    const { request } = exchange
    const parameters = new Parameters(request.query)
    const refusal = unsendable(request)
    if (refusal !== undefined) return refusal
    const terms = this.#senderTerms(request, parameters)
    if (terms instanceof Refusal) return terms
    const isChosen = parameters.get('transfer') !== undefined
    const replyAtEnd = parameters.word('reply', ['end', 'stream'])
    if (replyAtEnd instanceof Refusal) return replyAtEnd
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    const boundary = readBoundary(request.header('content-type'))
    if (boundary instanceof Refusal) return boundary
    const isForm = boundary !== undefined
    const expectsContinue = request.header('expect').toLowerCase() === '100-continue'
    const options = {
      form: isForm ? { boundary, head } : undefined,
      replyAtEnd: replyAtEnd === undefined ? this.options.replyAtEnd : replyAtEnd === 'end',
      isChunked: framing.length === undefined,
      expectsContinue,
      throughProxy: expectsContinue && comesThroughProxy(request),
      headers: senderHeaders(terms.transferId),
      more: visit ?? undefined,
    }
    let source: ReturnType<Exchange['toSource']> | undefined
    const listen = () => {
      source = exchange.toSource(options)
      return source
    }
    const goOn = () => {
      const most = visit?.limits?.maxBytes ?? Number.POSITIVE_INFINITY
      if (!isForm && (head.length ?? 0) > most)
        return new Refusal(FAILURES.tooLarge, { found: head.length!, expected: most })
      if (isChosen && this.#isInUse(terms.transferId, visit?.identity?.project ?? '')) {
        return new Refusal(FAILURES.transferIdTaken, { found: terms.transferId })
      }
      source ??= listen()
      const endpoint = this.table.joinSender(visit?.key ?? name, source, isForm ? undefined : head, {
        ...terms,
        limits: visit?.limits,
      })
      if (endpoint instanceof Refusal) return endpoint
      source.joined(endpoint)
      return undefined
    }
    return this.#admit(asked, SENDER, name, goOn, listen)
  }

  /** Looks at every pipe, so that transfers whose id was drawn, nearly all, need no list of ids. */
  #isInUse(transferId: string, project: string): boolean {
    for (const pipe of this.table.all()) {
      if (pipe.transferId === transferId && splitKey(pipe.key).project === project) return true
    }
    return false
  }

  #receive(asked: Asked, name: string, parameters: Parameters): Said {
    const { exchange, framing, visit } = asked
    const { request } = exchange
    const refusal = unreceivable(request, parameters)
    if (refusal !== undefined) return refusal
    const terms = this.#terms(parameters)
    if (terms instanceof Refusal) return terms
    const download = parameters.switch('download')
    if (download instanceof Refusal) return download
    const filename = parameters.get('filename')
    if (filename === '') {
      return new Refusal(FAILURES.badParameter, { name: 'filename', found: '', expected: 'the name to save under' })
    }
    // A malformed one would be answered in the middle of the stream.
    if (framing.length !== 0) return new Refusal(FAILURES.bodyNotWanted)
    const accept = request.header('accept')
    return this.#admit(asked, RECEIVER, name, () => {
      const sink = exchange.toSink({
        accept,
        headers: (head, transferId) => receiverHeaders(head, transferId, { download, filename }),
        more: visit ?? undefined,
      })
      const endpoint = this.table.joinReceiver(visit?.key ?? name, sink, { ...terms, limits: visit?.limits })
      if (endpoint instanceof Refusal) return endpoint
      sink.joined(endpoint)
      return undefined
    })
  }

  #terms(parameters: Parameters): JoinOptions | Refusal {
    const receivers = parameters.integer('n', 1, this.options.maxReceivers)
    if (receivers instanceof Refusal) return receivers
    const wait = parameters.integer('wait', 1, MAX_WAIT_S)
    if (wait instanceof Refusal) return wait
    const sha256 = parameters.switch('sha256')
    if (sha256 instanceof Refusal) return sha256
    return {
      receivers: receivers ?? 1,
      waitMs: wait === undefined ? this.options.waitMs : wait * 1000,
      newDigest: sha256 === true ? newSha256 : undefined,
    }
  }

  #senderTerms(request: RequestView, parameters: Parameters): SenderJoinOptions | Refusal {
    const terms = this.#terms(parameters)
    if (terms instanceof Refusal) return terms
    const stall = parameters.integer('stall', 1, MAX_STALL_S)
    if (stall instanceof Refusal) return stall
    const expectedBytes = hintedSize(request, parameters)
    if (expectedBytes instanceof Refusal) return expectedBytes
    const transferId = parameters.get('transfer')
    if (transferId !== undefined && !TRANSFER_ID.test(transferId)) {
      const expected = '16 to 64 letters, digits, "_" and "-"'
      return new Refusal(FAILURES.badParameter, { name: 'transfer', found: show(transferId), expected })
    }
    const { stallMaxMs, newTransferId } = this.options
    const stallMs = stall === undefined ? stallMaxMs : stall * 1000
    return {
      ...terms,
      stallMs: stallMaxMs === 0 ? stallMs : Math.min(stallMs, stallMaxMs),
      transferId: transferId ?? newTransferId(),
      expectedBytes,
    }
  }

  #reserved(asked: Asked, address: Address & { kind: 'reserved' }, routes?: readonly Registered<Route>[]): Said {
    const { request } = asked.exchange
    const { name, underPrefix } = address
    const found = name === '' ? '/' : name
    if (sends(request)) return new Refusal(FAILURES.reservedName, { found })
    if (request.method === 'OPTIONS') return allow(RESERVED_METHODS)
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(request, RESERVED_METHODS)
    const mode = this.#mode(new Parameters(request.query), asked.exchange)
    if (mode instanceof Refusal) return mode
    if (mode !== undefined) return new Refusal(FAILURES.reservedName, { found })
    if (routes !== undefined) return this.#answerRoute(asked, routes, address)
    if (name === 'health' && underPrefix) {
      const { status, body } = this.options.health()
      return jsonAnswer(status, body, retryAfter(status))
    }
    if (name === '' || name === 'help') return textAnswer(200, this.#help(request))
    const { prefix } = this.options
    const elsewhere = !underPrefix && (name === 'health' || name === 'metrics')
    const instead = `${prefix}/${elsewhere ? name : 'help'}`
    return new Refusal(FAILURES.notHere, { found: show(request.path), instead })
  }

  #help(request: RequestView): string {
    const host = show(request.header('host')) || 'localhost'
    const base = `${this.options.schemeOf(request)}://${host}${this.options.prefix}`
    return [
      'pipegate: the body of one request becomes the response of another. Either side may come first.',
      '',
      `  send a file      curl -T file ${base}/some-name`,
      `  send a stream    tar cz folder | curl -T - ${base}/some-name`,
      `  receive          curl ${base}/some-name > file`,
      `  to three         add ?n=3 on every side`,
      '',
      'A name is free again when its transfer has ended. Nothing is stored.',
      '',
    ].join('\n')
  }
}

function senderHeaders(transferId: string): HeaderList {
  return [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Robots-Tag', 'none'],
    ['X-Accel-Buffering', 'no'],
    ['X-Pipe-Transfer-Id', transferId],
    ['X-Hoody-Pipe-Transfer-Id', transferId],
  ]
}

/** Why this request cannot be a sender, whatever the pipe. */
function unsendable(request: RequestView): Refusal | undefined {
  if (request.header('content-range') !== '') return new Refusal(FAILURES.contentRange)
  return isServiceWorker(request)
}

/** Why this request cannot be a receiver, whatever the pipe. */
function unreceivable(request: RequestView, parameters: Parameters): Refusal | undefined {
  return isServiceWorker(request) ?? unavailable(parameters, ['progress', 'status'])
}

function isServiceWorker(request: RequestView): Refusal | undefined {
  return request.header('service-worker').trim().toLowerCase() === 'script'
    ? new Refusal(FAILURES.serviceWorker)
    : undefined
}

/** A watcher must not take a receiver's slot. */
function unavailable(parameters: Parameters, switches: string[]): Refusal | undefined {
  for (const name of switches) {
    const on = parameters.switch(name)
    if (on instanceof Refusal) return on
    if (on) return new Refusal(FAILURES.notAvailable, { found: `?${name}`, instead: 'Leave it out.' })
  }
  return undefined
}

/** What a proxy adds, and nobody else has a reason to. */
function comesThroughProxy(request: RequestView): boolean {
  return ['x-forwarded-for', 'via', 'forwarded'].some((name) => request.header(name) !== '')
}

/** The total that a sender of unknown length hints at. */
function hintedSize(request: RequestView, parameters: Parameters): number | undefined | Refusal {
  const header = request.header('x-pipe-size')
  const hint = parameters.integer('size', 0, Number.MAX_SAFE_INTEGER)
  return hint ?? (header === '' ? undefined : integer('X-Pipe-Size', header, 0, Number.MAX_SAFE_INTEGER))
}

function sends({ method }: RequestView): boolean {
  return method === 'PUT' || method === 'POST'
}

function allow(methods: string): Answer {
  return { status: 204, headers: [['Allow', methods]], body: '' }
}

function notAllowed(request: RequestView, methods: string): Refusal {
  const values = { found: show(request.method), allow: methods }
  return new RefusalWithHeaders(FAILURES.methodNotAllowed, values, [['Allow', methods]])
}

function letIn(visit: RequestContext, goOn: (request: RequestView) => Said, request: RequestView): Said {
  visit.admit()
  return goOn(request)
}

function give(exchange: Exchange, said: Answer | Refusal, accept: string, framing: Framing): void {
  if (said instanceof Refusal) exchange.refuse(said, accept, afterAnswer(framing))
  else exchange.answer(said, afterAnswer(framing))
}
