import type { Topics } from '../../../../core/index.js'
import { Refusal } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import type { Parameters } from '../../../http/parameters.js'
import type { RequestView } from '../../../http/request-view.js'
import { readBoundary } from '../../../stream/form/multipart-boundary.js'
import { safeMediaType } from '../../../stream/media-type.js'
import { headerText } from '../../../stream/stream-head.js'
import type { Admission } from '../../admission.js'
import type { Exchange } from '../../exchange.js'
import type { Incoming, Outcome } from '../../incoming.js'
import type { RouterOptions } from '../../options.js'
import { refuseServiceWorker } from '../service-worker.js'
import { PublishedLines } from './published-lines.js'
import { MOST_BYTES } from './publishing.js'
import { notWithTopic, type PublisherParameters, readPublisher } from './topic-parameters.js'
import { WholeMessage } from './whole-message.js'

const PUBLISHER = { side: 'sender', right: 'send' } as const

/** Requests that publish on a topic. */
export class PublisherHandler {
  constructor(
    readonly topics: Topics,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, query: Parameters): Outcome {
    const { exchange, context, framing } = incoming
    const { request } = exchange
    const parameters = this.#read(request, query)
    if (parameters instanceof Refusal) return parameters
    const accept = request.header('accept')
    const type = safeMediaType(headerText(request.header('content-type')) || undefined) ?? ''
    let reply: ReturnType<Exchange['toReply']> | undefined
    const hold = () => {
      reply = exchange.toReply(accept, 'keep', (error) => this.#failed(error, exchange), framing)
    }
    const proceed = () => {
      const { topics, options } = this
      const { memory, onFault } = options
      const key = context?.key ?? name
      const most = context?.limits?.maxBytes ?? Number.POSITIVE_INFINITY
      const maxBytes = parameters.lines ? most : Math.min(most, MOST_BYTES)
      const found = framing.length ?? 0
      if (found > maxBytes) return new Refusal(FAILURES.tooLarge, { found, expected: maxBytes })
      const refusal = topics.refusePublisher(key, parameters)
      if (refusal !== undefined) return refusal
      if (reply === undefined) hold()
      reply!.limit(context?.limits)
      const publishing = { topics, key, parameters, type, reply: reply!, accept, memory, onFault, maxBytes }
      if (parameters.lines) return new PublishedLines(publishing).start()
      new WholeMessage(publishing)
      return undefined
    }
    return this.admission.admit(incoming, PUBLISHER, name, proceed, hold)
  }

  #read(request: RequestView, query: Parameters): PublisherParameters | Refusal {
    const refusal = refuseServiceWorker(request)
    if (refusal !== undefined) return refusal
    if (request.header('content-range') !== '') return new Refusal(FAILURES.contentRange)
    const boundary = readBoundary(request.header('content-type'))
    if (boundary !== undefined) return boundary instanceof Refusal ? boundary : notWithTopic('a form')
    return readPublisher(query, this.options)
  }

  #failed(error: unknown, { id }: Exchange): Refusal {
    this.options.onFault(error)
    return new Refusal(FAILURES.internal, { id })
  }
}
