import {
  type PipeTable,
  Refusal,
  type SenderEndpoint,
  type SenderJoinOptions,
  type Source,
  type StreamHead,
  type StreamKindName,
} from '../../../core/index.js'
import type { RequestContext } from '../../host/request-context.js'
import type { Parameters } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import { ANSWER_HEADERS, type HeaderList } from '../../http/response/answer.js'
import { answerStatus } from '../../stream/ask-fields.js'
import { readBoundary } from '../../stream/form/multipart-boundary.js'
import { streamHead } from '../../stream/stream-head.js'
import type { Admission, Role } from '../admission.js'
import type { AnswerIds } from '../answer-ids.js'
import type { Exchange, SourceOptions } from '../exchange.js'
import type { Incoming, Outcome } from '../incoming.js'
import type { RouterOptions } from '../options.js'
import { refusalOfAnswer, refuseAnswer } from './ask-options.js'
import { readLetter } from './duplex/duplex-options.js'
import { readSenderJoinOptions } from './join-options.js'
import { notWithLive } from './live-options.js'
import { refuseOversized, refuseSender, refuseTakenId } from './refusals.js'

const SENDER = { side: 'sender', right: 'send' } as const
/** Whoever may take a question may answer it. */
const ANSWERER = { side: 'sender', right: 'receive' } as const

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
    readonly answerIds: AnswerIds,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters, kind: StreamKindName): Outcome {
    return this.#handle(incoming, parameters, kind, name, SENDER, (source, { head, joinOptions }, key) =>
      this.table.joinSender(key, source, head, joinOptions),
    )
  }

  /** @param answerId by which the worker was told to answer */
  answer(incoming: Incoming, name: string, parameters: Parameters, answerId: string): Outcome {
    return this.#handle(incoming, parameters, 'answer', name, ANSWERER, (source, { head, joinOptions }, key) => {
      const joined = this.table.joinAnswer(key, answerId, source, head!, joinOptions)
      return joined instanceof Refusal ? refusalOfAnswer(joined, this.answerIds, key, answerId) : joined
    })
  }

  #handle(
    incoming: Incoming,
    parameters: Parameters,
    kind: StreamKindName | 'answer',
    name: string,
    role: Role,
    join: (source: Source, wanted: SenderRequest, key: string) => SenderEndpoint | Refusal,
  ): Outcome {
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
      wanted.joinOptions.limits = context?.limits
      const endpoint = join(source, wanted, context?.key ?? name)
      if (endpoint instanceof Refusal) return endpoint
      source.joined(endpoint)
      return undefined
    }
    return this.admission.admit(incoming, role, name, proceed, hold)
  }

  #read(
    { exchange, framing, context }: Incoming,
    parameters: Parameters,
    kind: StreamKindName | 'answer',
  ): SenderRequest | Refusal {
    const { request } = exchange
    const refusal = refuseSender(request)
    if (refusal !== undefined) return refusal
    const isAnswer = kind === 'answer'
    const ofAnswer = isAnswer ? (refuseAnswer(parameters) ?? answerStatus(request)) : []
    if (ofAnswer instanceof Refusal) return ofAnswer
    const joinOptions = readSenderJoinOptions(request, parameters, this.options, isAnswer ? 'pipe' : kind)
    if (joinOptions instanceof Refusal) return joinOptions
    const reply = parameters.word('reply', ['end', 'stream'])
    if (reply instanceof Refusal) return reply
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    // A form is an answer, or a part of a talk, like anything else.
    const isPart = kind === 'duplex'
    const letter = isPart ? readLetter(parameters) : undefined
    if (letter instanceof Refusal) return letter
    joinOptions.duplex = letter && { letter }
    const boundary = isAnswer || isPart ? undefined : readBoundary(request.header('content-type'))
    if (boundary instanceof Refusal) return boundary
    if (boundary !== undefined && kind === 'live') return notWithLive('a form')
    const form = boundary === undefined ? undefined : { boundary, head }
    const expectsContinue = request.header('expect').toLowerCase() === '100-continue'
    return {
      joinOptions,
      hasOwnId: parameters.get('transfer') !== undefined,
      head: form === undefined ? { length: head.length, fields: [...head.fields, ...ofAnswer] } : undefined,
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
    const tooLarge = refuseOversized(head, context)
    if (tooLarge !== undefined || !hasOwnId) return tooLarge
    return refuseTakenId(joinOptions.transferId, context, this.options)
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

/** Looks for headers that only proxies have a reason to add. */
function isThroughProxy(request: RequestView): boolean {
  return ['x-forwarded-for', 'via', 'forwarded'].some((name) => request.header(name) !== '')
}
