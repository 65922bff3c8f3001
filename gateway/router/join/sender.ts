import {
  type PipeTable,
  Refusal,
  type SenderJoinOptions,
  type StreamHead,
  type StreamKindName,
} from '../../../core/index.js'
import type { RequestContext } from '../../host/request-context.js'
import { FAILURES } from '../../http/failures.js'
import type { Parameters } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import { ANSWER_HEADERS, type HeaderList } from '../../http/response/answer.js'
import { readBoundary } from '../../stream/form/multipart-boundary.js'
import { streamHead } from '../../stream/stream-head.js'
import type { Admission } from '../admission.js'
import type { Exchange, SourceOptions } from '../exchange.js'
import type { Incoming, Outcome } from '../incoming.js'
import type { RouterOptions } from '../options.js'
import { readSenderJoinOptions } from './join-options.js'
import { notWithLive } from './live-options.js'
import { refuseServiceWorker } from './service-worker.js'

const SENDER = { side: 'sender', right: 'send' } as const

interface SenderRequest {
  readonly joinOptions: SenderJoinOptions
  /** Whether the sender chose the transfer's id itself. */
  readonly hasOwnId: boolean
  /** Undefined for a form, whose stream is known only when its part begins. */
  readonly head: StreamHead | undefined
  readonly sourceOptions: SourceOptions
}

/** Requests that join a pipe as senders. */
export class SenderHandler {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters, kind: StreamKindName): Outcome {
    const { exchange, context } = incoming
    const wanted = this.#read(incoming, parameters, kind)
    if (wanted instanceof Refusal) return wanted
    let source: ReturnType<Exchange['toSource']> | undefined
    const hold = () => {
      source = exchange.toSource(wanted.sourceOptions)
      return source
    }
    const proceed = () => {
      const refusal = this.#refuse(wanted, context)
      if (refusal !== undefined) return refusal
      source ??= hold()
      const joinOptions = { ...wanted.joinOptions, limits: context?.limits }
      const endpoint = this.table.joinSender(context?.key ?? name, source, wanted.head, joinOptions)
      if (endpoint instanceof Refusal) return endpoint
      source.joined(endpoint)
      return undefined
    }
    return this.admission.admit(incoming, SENDER, name, proceed, hold)
  }

  #read(
    { exchange, framing, context }: Incoming,
    parameters: Parameters,
    kind: StreamKindName,
  ): SenderRequest | Refusal {
    const { request } = exchange
    const refusal = refuseSender(request)
    if (refusal !== undefined) return refusal
    const joinOptions = readSenderJoinOptions(request, parameters, this.options, kind)
    if (joinOptions instanceof Refusal) return joinOptions
    const reply = parameters.word('reply', ['end', 'stream'])
    if (reply instanceof Refusal) return reply
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    const boundary = readBoundary(request.header('content-type'))
    if (boundary instanceof Refusal) return boundary
    if (boundary !== undefined && kind === 'live') return notWithLive('a form')
    const form = boundary === undefined ? undefined : { boundary, head }
    const expectsContinue = request.header('expect').toLowerCase() === '100-continue'
    return {
      joinOptions,
      hasOwnId: parameters.get('transfer') !== undefined,
      head: form === undefined ? head : undefined,
      sourceOptions: {
        form,
        replyAtEnd: reply === undefined ? this.options.replyAtEnd : reply === 'end',
        isChunked: framing.length === undefined,
        expectsContinue,
        throughProxy: expectsContinue && isThroughProxy(request),
        headers: senderHeaders(joinOptions.transferId),
        additions: context ?? undefined,
      },
    }
  }

  /** Why this sender cannot join now, after the plugins have set its limits and project. */
  #refuse({ head, hasOwnId, joinOptions }: SenderRequest, context: RequestContext | null): Refusal | undefined {
    const found = head?.length ?? 0
    const expected = context?.limits?.maxBytes ?? Number.POSITIVE_INFINITY
    if (head !== undefined && found > expected) return new Refusal(FAILURES.tooLarge, { found, expected })
    const { transferId } = joinOptions
    if (hasOwnId && this.options.transferIds.isInUse(transferId, context?.identity?.project ?? '')) {
      return new Refusal(FAILURES.transferIdTaken, { found: transferId })
    }
    return undefined
  }
}

function senderHeaders(transferId: string): HeaderList {
  return [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ...ANSWER_HEADERS,
    ['X-Accel-Buffering', 'no'],
    ['X-Pipe-Transfer-Id', transferId],
    ['X-Hoody-Pipe-Transfer-Id', transferId],
  ]
}

/** Why this request cannot be a sender, whatever the pipe. */
function refuseSender(request: RequestView): Refusal | undefined {
  if (request.header('content-range') !== '') return new Refusal(FAILURES.contentRange)
  return refuseServiceWorker(request)
}

/** Looks for headers that only proxies have a reason to add. */
function isThroughProxy(request: RequestView): boolean {
  return ['x-forwarded-for', 'via', 'forwarded'].some((name) => request.header(name) !== '')
}
