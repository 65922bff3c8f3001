import {
  type EndReason,
  type PipeTable,
  type PipeView,
  type ReceiverJoinOptions,
  Refusal,
  type SenderJoinOptions,
  type StreamHead,
} from '../../../core/index.js'
import type { Parameters } from '../../http/parameters.js'
import { answerStatus } from '../../stream/ask-fields.js'
import type { BodyConsumer } from '../../stream/body-consumer.js'
import { type ReceiverOptions, receiverHead } from '../../stream/receiver-headers.js'
import { streamHead } from '../../stream/stream-head.js'
import type { Admission } from '../admission.js'
import type { AnswerIds } from '../answer-ids.js'
import type { Exchange } from '../exchange.js'
import type { Incoming, Outcome } from '../incoming.js'
import type { RouterOptions } from '../options.js'
import { answerAddress, refusalOfAnswer, refuseWorker } from './ask-options.js'
import { readJoinOptions, readSenderJoinOptions } from './join-options.js'
import { readReceiverOptions } from './receiver-options.js'
import { refuseOversized, refuseSender } from './refusals.js'

const WORKER = { side: 'receiver', right: 'receive' } as const

interface Turn {
  readonly answer: SenderJoinOptions
  readonly head: StreamHead
  readonly next: ReceiverJoinOptions
  /** What it wants of the next question. */
  readonly wanted: ReceiverOptions
}

/**
 * Requests of workers that answer a question, and take the next one in the same request. The worker stands in line as soon as its
 * answer has been read: how fast the asker reads it is not its concern. When the answer fails before that, the response says so.
 */
export class AnswerAndServeHandler {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
    readonly answerIds: AnswerIds,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters, answerId: string): Outcome {
    const { exchange, context, framing } = incoming
    const turn = this.#read(incoming, name, parameters)
    if (turn instanceof Refusal) return turn
    const accept = exchange.request.header('accept')
    const additions = context ?? undefined
    let both: ReturnType<Exchange['toTwoWay']> | undefined
    let failed = false
    let isInLine = false
    const onEnd = (reason: EndReason, pipe: PipeView) => {
      if (reason === 'complete' || isInLine) return
      failed = true
      both!.sink.abort(reason, pipe)
    }
    const hold = () => {
      both = exchange.toTwoWay(
        { additions, length: framing.length, onEnd },
        {
          additions,
          accept,
          respond: (head, pipe, offset) => receiverHead(head, pipe, offset, turn.wanted),
          isConfirmed: true,
        },
      )
      return both
    }
    const proceed = () => {
      const key = context?.key ?? name
      const limits = context?.limits
      const refusal = refuseOversized(turn.head, context)
      if (refusal !== undefined) return refusal
      const { source, sink } = both ?? hold()
      turn.answer.limits = limits
      const answer = this.table.joinAnswer(key, answerId, source, turn.head, turn.answer)
      if (answer instanceof Refusal) return refusalOfAnswer(answer, this.answerIds, key, answerId)
      const next = () => {
        if (failed) return
        isInLine = true
        turn.next.limits = limits
        const endpoint = this.table.joinReceiver(key, sink, turn.next)
        if (endpoint instanceof Refusal) sink.refuse(endpoint)
        else sink.joined(endpoint)
      }
      source.joined(andThen(answer, next))
      return undefined
    }
    return this.admission.admit(incoming, WORKER, name, proceed, hold)
  }

  #read({ exchange, framing }: Incoming, name: string, parameters: Parameters): Turn | Refusal {
    const { request } = exchange
    const refusal = refuseSender(request) ?? refuseWorker(parameters)
    if (refusal !== undefined) return refusal
    const next = readJoinOptions(parameters, this.options, 'ask')
    if (next instanceof Refusal) return next
    const answer = readSenderJoinOptions(request, parameters, this.options, 'pipe')
    if (answer instanceof Refusal) return answer
    const wanted = readReceiverOptions(parameters, name, undefined, answerAddress(request, this.options))
    if (wanted instanceof Refusal) return wanted
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    const status = answerStatus(request)
    if (status instanceof Refusal) return status
    return {
      answer,
      head: { length: head.length, fields: [...head.fields, ...status] },
      next,
      wanted,
    }
  }
}

/** The same consumer, and something to do when it has all of the body. */
function andThen(consumer: BodyConsumer, ended: () => void): BodyConsumer {
  return {
    feed: (bytes) => consumer.feed(bytes),
    end() {
      consumer.end()
      ended()
    },
    broken: (reason) => consumer.broken(reason),
    left: () => consumer.left(),
    fault: () => consumer.fault(),
  }
}
