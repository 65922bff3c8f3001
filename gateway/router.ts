import { type PipeTable, Refusal, type SenderTerms, type Terms } from '../core/index.js'
import { type Address, type AddressRules, readAddress } from './address.js'
import { type Answer, type HeaderList, jsonAnswer, refusalAnswer, retryAfter, textAnswer } from './answers.js'
import type { Exchange } from './exchange.js'
import { FAILURES } from './failures.js'
import { type Framing, readFraming } from './framing.js'
import { integer, Parameters, show } from './parameters.js'
import type { RequestView } from './request-view.js'
import { receiverHeaders, streamHead } from './stream-head.js'

export interface RouterOptions extends AddressRules {
  readonly maxReceivers: number
  /** How long a side waits when it does not say, in milliseconds. */
  readonly waitMs: number
  /** The longest stall that a receiver is allowed, in milliseconds. 0: no limit. */
  readonly stallMaxMs: number
  /** Answer senders only at the end unless they say otherwise. */
  readonly replyAtEnd: boolean
  readonly newTransferId: () => string
  /** What `/health` says, and with which status. */
  readonly health: () => { readonly status: number; readonly body: unknown }
}

const MAX_WAIT_S = 3600
const MAX_STALL_S = 86_400
const NAME_METHODS = 'GET, POST, PUT, OPTIONS'
const RESERVED_METHODS = 'GET, HEAD, OPTIONS'

/** Looks at one request and either answers it or seats it in a pipe. */
export class Router {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
  ) {}

  handle(exchange: Exchange): void {
    const { request } = exchange
    const framing = readFraming(request)
    if (framing instanceof Refusal) {
      // Where this body ends, and the next request begins, is anybody's guess.
      exchange.answer(refusalAnswer(framing, request.header('accept')), 'close')
      return
    }
    const reply = this.#route(exchange, framing)
    if (reply === undefined) return
    const answer = reply instanceof Refusal ? refusalAnswer(reply, request.header('accept'), extra(reply)) : reply
    exchange.answer(answer, framing.length === 0 ? 'keep' : 'discard')
  }

  /** The answer, or undefined when the request has been seated in a pipe. */
  #route(exchange: Exchange, framing: Framing): Answer | Refusal | undefined {
    const { request } = exchange
    const address = readAddress(request.path, this.options)
    if (address instanceof Refusal) return address
    if (address.kind === 'reserved') return this.#reserved(request, address)
    switch (request.method) {
      case 'PUT':
      case 'POST':
        return this.#send(exchange, address.name, framing)
      case 'GET':
        return this.#receive(exchange, address.name, framing)
      case 'OPTIONS':
        return allow(NAME_METHODS)
      default:
        return notAllowed(request, NAME_METHODS)
    }
  }

  #send(exchange: Exchange, name: string, framing: Framing): Refusal | undefined {
    const { request } = exchange
    const parameters = new Parameters(request.query)
    const refusal = unsendable(request, parameters)
    if (refusal !== undefined) return refusal
    const terms = this.#senderTerms(request, parameters)
    if (terms instanceof Refusal) return terms
    const replyAtEnd = parameters.word('reply', ['end', 'stream'])
    if (replyAtEnd instanceof Refusal) return replyAtEnd
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    const source = exchange.toSource({
      replyAtEnd: replyAtEnd === undefined ? this.options.replyAtEnd : replyAtEnd === 'end',
      isChunked: framing.length === undefined,
      expectsContinue: request.header('expect').toLowerCase() === '100-continue',
      headers: senderHeaders(terms.transferId),
    })
    const seat = this.table.joinSender(name, source, head, terms)
    if (seat instanceof Refusal) return seat
    source.seated(seat)
    return undefined
  }

  #receive(exchange: Exchange, name: string, framing: Framing): Refusal | undefined {
    const { request } = exchange
    const parameters = new Parameters(request.query)
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
    const sink = exchange.toSink({
      accept: request.header('accept'),
      headers: (head, transferId) => receiverHeaders(head, transferId, { download, filename }),
    })
    const seat = this.table.joinReceiver(name, sink, terms)
    if (seat instanceof Refusal) return seat
    sink.seated(seat)
    return undefined
  }

  #terms(parameters: Parameters): Terms | Refusal {
    const receivers = parameters.integer('n', 1, this.options.maxReceivers)
    if (receivers instanceof Refusal) return receivers
    const wait = parameters.integer('wait', 1, MAX_WAIT_S)
    if (wait instanceof Refusal) return wait
    return { receivers: receivers ?? 1, waitMs: wait === undefined ? this.options.waitMs : wait * 1000 }
  }

  #senderTerms(request: RequestView, parameters: Parameters): SenderTerms | Refusal {
    const terms = this.#terms(parameters)
    if (terms instanceof Refusal) return terms
    const stall = parameters.integer('stall', 1, MAX_STALL_S)
    if (stall instanceof Refusal) return stall
    const expectedBytes = hintedSize(request, parameters)
    if (expectedBytes instanceof Refusal) return expectedBytes
    const { stallMaxMs, newTransferId } = this.options
    const stallMs = stall === undefined ? stallMaxMs : stall * 1000
    return {
      ...terms,
      stallMs: stallMaxMs === 0 ? stallMs : Math.min(stallMs, stallMaxMs),
      transferId: newTransferId(),
      expectedBytes,
    }
  }

  #reserved(request: RequestView, address: Address & { kind: 'reserved' }): Answer | Refusal {
    const { name, underPrefix } = address
    const found = name === '' ? '/' : name
    if (request.method === 'PUT' || request.method === 'POST') return new Refusal(FAILURES.reservedName, { found })
    if (request.method === 'OPTIONS') return allow(RESERVED_METHODS)
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(request, RESERVED_METHODS)
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
    const base = `${host}${this.options.prefix}`
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
function unsendable(request: RequestView, parameters: Parameters): Refusal | undefined {
  if (request.header('content-range') !== '') return new Refusal(FAILURES.contentRange)
  const serviceWorker = isServiceWorker(request)
  if (serviceWorker !== undefined) return serviceWorker
  if (/^multipart\/form-data\b/i.test(request.header('content-type').trim())) {
    return new Refusal(FAILURES.notAvailable, {
      found: 'multipart/form-data',
      instead: 'Send the file itself as the body: curl -T file URL.',
    })
  }
  return unavailable(parameters, ['sha256'], ['transfer'])
}

/** Why this request cannot be a receiver, whatever the pipe. */
function unreceivable(request: RequestView, parameters: Parameters): Refusal | undefined {
  return isServiceWorker(request) ?? unavailable(parameters, ['progress', 'status', 'receive', 'sha256'], [])
}

function isServiceWorker(request: RequestView): Refusal | undefined {
  return request.header('service-worker').trim().toLowerCase() === 'script'
    ? new Refusal(FAILURES.serviceWorker)
    : undefined
}

/** A watcher must not take a receiver's slot, and a digest that was asked for must not be silently left out. */
function unavailable(parameters: Parameters, switches: string[], values: string[]): Refusal | undefined {
  for (const name of switches) {
    const on = parameters.switch(name)
    if (on instanceof Refusal) return on
    if (on) return notAvailable(name)
  }
  const asked = values.find((name) => parameters.get(name) !== undefined)
  return asked === undefined ? undefined : notAvailable(asked)
}

function notAvailable(parameter: string): Refusal {
  return new Refusal(FAILURES.notAvailable, { found: `?${parameter}`, instead: 'Leave it out.' })
}

/** The total that a sender of unknown length hints at. */
function hintedSize(request: RequestView, parameters: Parameters): number | undefined | Refusal {
  const header = request.header('x-pipe-size')
  const hint = parameters.integer('size', 0, Number.MAX_SAFE_INTEGER)
  return hint ?? (header === '' ? undefined : integer('X-Pipe-Size', header, 0, Number.MAX_SAFE_INTEGER))
}

function allow(methods: string): Answer {
  return { status: 204, headers: [['Allow', methods]], body: '' }
}

function notAllowed(request: RequestView, methods: string): Refusal {
  return new Refusal(FAILURES.methodNotAllowed, { found: show(request.method), allow: methods })
}

/** Headers that belong to a refusal. */
function extra(refusal: Refusal): HeaderList {
  const { allow: methods } = refusal.values
  return methods === undefined ? [] : [['Allow', String(methods)]]
}
