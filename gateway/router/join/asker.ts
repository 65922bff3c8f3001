import { type PipeTable, Refusal, type SenderJoinOptions, type StreamHead } from '../../../core/index.js'
import type { Parameters } from '../../http/parameters.js'
import { ASK_METHOD } from '../../stream/ask-fields.js'
import { type ReceiverOptions, receiverHead } from '../../stream/receiver-headers.js'
import { streamHead } from '../../stream/stream-head.js'
import type { Admission } from '../admission.js'
import type { AnswerIds } from '../answer-ids.js'
import type { Exchange } from '../exchange.js'
import type { Incoming, Outcome } from '../incoming.js'
import type { RouterOptions } from '../options.js'
import { readAsker } from './ask-options.js'
import { readSenderJoinOptions } from './join-options.js'
import { readReceiverOptions } from './receiver-options.js'
import { refuseOversized, refuseSender, refuseTakenId } from './refusals.js'

const ASKER = { side: 'sender', right: 'send' } as const

interface Question {
  readonly joinOptions: SenderJoinOptions
  readonly withinMs: number
  readonly hasOwnId: boolean
  readonly head: StreamHead
  /** What it wants of the answer. */
  readonly wanted: ReceiverOptions
}

/** Requests that ask: senders of a question, and receivers of its answer, which is their response. */
export class AskerHandler {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
    readonly answerIds: AnswerIds,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters): Outcome {
    const { exchange, context, framing } = incoming
    const question = this.#read(incoming, name, parameters)
    if (question instanceof Refusal) return question
    const { joinOptions, withinMs, hasOwnId, head, wanted } = question
    const accept = exchange.request.header('accept')
    const additions = context ?? undefined
    let both: ReturnType<Exchange['toTwoWay']> | undefined
    const hold = () => {
      both = exchange.toTwoWay(
        { additions, length: framing.length },
        { additions, accept, respond: (head, pipe, offset) => receiverHead(head, pipe, offset, wanted) },
      )
      return both
    }
    const proceed = () => {
      const taken = hasOwnId ? refuseTakenId(joinOptions.transferId, context, this.options) : undefined
      const refusal = refuseOversized(head, context) ?? taken
      if (refusal !== undefined) return refusal
      const { source, sink } = both ?? hold()
      const key = context?.key ?? name
      joinOptions.limits = context?.limits
      joinOptions.ask = { withinMs, sink, newAnswerId: () => this.answerIds.draw(key) }
      const joined = this.table.joinAsker(key, source, head, joinOptions)
      if (joined instanceof Refusal) return joined
      sink.joined(joined.answer)
      source.joined(joined.question)
      return undefined
    }
    return this.admission.admit(incoming, ASKER, name, proceed, hold)
  }

  #read({ exchange, framing }: Incoming, name: string, parameters: Parameters): Question | Refusal {
    const { request } = exchange
    const refusal = refuseSender(request)
    if (refusal !== undefined) return refusal
    const ofAsk = readAsker(parameters)
    if (ofAsk instanceof Refusal) return ofAsk
    const { takeMs, withinMs } = ofAsk
    const joinOptions = readSenderJoinOptions(request, parameters, this.options, 'ask', takeMs)
    if (joinOptions instanceof Refusal) return joinOptions
    const wanted = readReceiverOptions(parameters, name)
    if (wanted instanceof Refusal) return wanted
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    return {
      joinOptions,
      withinMs,
      hasOwnId: parameters.get('transfer') !== undefined,
      head: { length: head.length, fields: [...head.fields, [ASK_METHOD, request.method]] },
      wanted,
    }
  }
}
