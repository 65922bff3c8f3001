import type { Topics } from '../../../../core/index.js'
import { Refusal } from '../../../../core/index.js'
import type { RequestContext } from '../../../host/request-context.js'
import { FAILURES } from '../../../http/failures.js'
import type { Parameters } from '../../../http/parameters.js'
import { receiverHead } from '../../../stream/receiver-headers.js'
import { SOCKETS, topicEncoding } from '../../../stream/topic/encodings.js'
import type { Admission } from '../../admission.js'
import type { Exchange } from '../../exchange.js'
import type { Incoming, Outcome } from '../../incoming.js'
import type { RouterOptions } from '../../options.js'
import { refuseServiceWorker } from '../service-worker.js'
import { readSubscriber } from './topic-parameters.js'
import { TopicSocket } from './topic-socket.js'

const SUBSCRIBER = { side: 'receiver', right: 'receive' } as const

/** Requests that subscribe to a topic. */
export class SubscriberHandler {
  constructor(
    readonly topics: Topics,
    readonly options: Pick<RouterOptions, 'newTransferId' | 'waitMs' | 'onFault' | 'whenTurnComes'>,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters): Outcome {
    const { exchange, context, framing } = incoming
    const refusal = refuseServiceWorker(exchange.request)
    if (refusal !== undefined) return refusal
    const wanted = readSubscriber(parameters)
    if (wanted instanceof Refusal) return wanted
    // A malformed body would be answered in the middle of the stream.
    if (framing.length !== 0) return new Refusal(FAILURES.bodyNotWanted)
    const accept = exchange.request.header('accept')
    const head = { download: undefined, filename: undefined, pipe: name }
    return this.admission.admit(incoming, SUBSCRIBER, name, () => {
      if (exchange.offer !== undefined) {
        return this.#openSocket(exchange, context, context?.key ?? name, accept, wanted.onlyIfAwaited)
      }
      const sink = exchange.toSink({
        accept,
        respond: (streamHead, topic, offset) => receiverHead(streamHead, topic, offset, head),
        additions: context ?? undefined,
        headAtOnce: true,
      })
      const { newTransferId } = this.options
      const options = { onlyIfAwaited: wanted.onlyIfAwaited, newTransferId }
      const place = this.topics.subscribe(context?.key ?? name, sink, topicEncoding(accept), options)
      if (place instanceof Refusal) return place
      sink.joined(place)
      return undefined
    })
  }

  #openSocket(
    exchange: Exchange,
    context: RequestContext | null,
    key: string,
    accept: string,
    onlyIfAwaited: boolean | undefined,
  ): Outcome {
    const { newTransferId, waitMs, onFault, whenTurnComes } = this.options
    const failed = (error: unknown) => {
      onFault(error)
      return new Refusal(FAILURES.internal, { id: exchange.id })
    }
    const mayPublish = context?.identity === undefined || context.identity.rights.has('send')
    const socket = new TopicSocket({ topics: this.topics, key, mayPublish, waitMs, newTransferId, whenTurnComes })
    const place = this.topics.subscribe(key, socket, SOCKETS, { onlyIfAwaited, newTransferId })
    if (place instanceof Refusal) return place
    const link = exchange.toReply(accept, 'keep', failed).accept('', context?.headers ?? [], socket)
    if (link === undefined) place.left()
    else socket.joined(place, link)
    return undefined
  }
}
