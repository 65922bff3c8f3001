import { type PipeTable, Refusal } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import type { Parameters } from '../../../http/parameters.js'
import { readBoundary } from '../../../stream/form/multipart-boundary.js'
import { streamHead } from '../../../stream/stream-head.js'
import type { Admission } from '../../admission.js'
import type { Exchange } from '../../exchange.js'
import type { Incoming, Outcome } from '../../incoming.js'
import type { RouterOptions } from '../../options.js'
import { readSenderJoinOptions } from '../join-options.js'
import { refuseOversized, refuseSender } from '../refusals.js'
import { LinesProducer } from './lines-producer.js'
import { notWithQueueLines, refuseWithLines } from './queue-options.js'

const PRODUCER = { side: 'sender', right: 'send' } as const

/** Uploads to a queue with many jobs in them. */
export class LinesProducerHandler {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters): Outcome {
    const { exchange, context, framing } = incoming
    const { request } = exchange
    const refusal = refuseSender(request) ?? refuseWithLines(parameters, 'sender')
    if (refusal !== undefined) return refusal
    const boundary = readBoundary(request.header('content-type'))
    if (boundary !== undefined) return boundary instanceof Refusal ? boundary : notWithQueueLines('a form')
    // It would have to be unpacked first, to find the lines.
    if (request.header('content-encoding') !== '') return notWithQueueLines('a Content-Encoding')
    const options = readSenderJoinOptions(request, parameters, this.options, 'queue')
    if (options instanceof Refusal) return options
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    const accept = request.header('accept')
    let reply: ReturnType<Exchange['toReply']> | undefined
    const hold = () => {
      reply = exchange.toReply(accept, 'keep', (error) => this.#failed(error, exchange), framing)
      return reply
    }
    const proceed = () => {
      const tooLarge = refuseOversized(head, context)
      if (tooLarge !== undefined) return tooLarge
      const { table } = this
      const { memory, onFault } = this.options
      const key = context?.key ?? name
      reply ??= hold()
      reply.limit(context?.limits)
      const ofJobs = { ...options, stays: true, isLine: true }
      return new LinesProducer({ table, key, options: ofJobs, fields: head.fields, reply, memory, onFault }).start()
    }
    return this.admission.admit(incoming, PRODUCER, name, proceed, hold)
  }

  #failed(error: unknown, { id }: Exchange): Refusal {
    this.options.onFault(error)
    return new Refusal(FAILURES.internal, { id })
  }
}
