import { type PipeTable, type ReceiverJoinOptions, Refusal, type StreamKindName } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { Parameters } from '../../http/parameters.js'
import { readRange } from '../../stream/range.js'
import { type ReceiverOptions, receiverHead } from '../../stream/receiver-headers.js'
import type { Admission } from '../admission.js'
import type { Incoming, Outcome } from '../incoming.js'
import type { RouterOptions } from '../options.js'
import { answerAddress, refuseWorker } from './ask-options.js'
import { CutDownloads } from './cut-downloads.js'
import { readLetter } from './duplex/duplex-options.js'
import { readJoinOptions } from './join-options.js'
import { readLiveViewer, refuseWithLive } from './live-options.js'
import { refuseQueueReceiver } from './queue/queue-options.js'
import { readReceiverOptions } from './receiver-options.js'
import { refuseServiceWorker } from './service-worker.js'

/** What a receiver cannot ask for of some kinds. */
const REFUSALS: { readonly [K in StreamKindName]?: (parameters: Parameters) => Refusal | undefined } = {
  queue: refuseQueueReceiver,
  ask: refuseWorker,
}

const RECEIVER = { side: 'receiver', right: 'receive' } as const

interface ReceiverRequest {
  readonly joinOptions: ReceiverJoinOptions
  readonly head: ReceiverOptions
  /** By which a browser's download is known when it asks again by itself. */
  readonly ticket: string | undefined
}

/** Requests that join a pipe as receivers. */
export class ReceiverHandler {
  readonly #cut = new CutDownloads()

  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters, kind: StreamKindName): Outcome {
    const { exchange, context } = incoming
    const wanted = this.#read(incoming, name, parameters, kind)
    if (wanted instanceof Refusal) return wanted
    const { joinOptions, ticket } = wanted
    const accept = exchange.request.header('accept')
    return this.admission.admit(incoming, RECEIVER, name, () => {
      if (ticket !== undefined && this.#cut.isRetry(ticket)) return new Refusal(FAILURES.wasCut)
      const sink = exchange.toSink({
        accept,
        onCut: ticket === undefined ? undefined : () => this.#cut.note(ticket),
        respond: (head, pipe, offset) => receiverHead(head, pipe, offset, wanted.head),
        additions: context ?? undefined,
        isConfirmed: kind === 'queue' || kind === 'ask',
      })
      joinOptions.limits = context?.limits
      const endpoint = this.table.joinReceiver(context?.key ?? name, sink, joinOptions)
      if (endpoint instanceof Refusal) return endpoint
      sink.joined(endpoint)
      return undefined
    })
  }

  #read(
    { exchange, framing }: Incoming,
    name: string,
    parameters: Parameters,
    kind: StreamKindName,
  ): ReceiverRequest | Refusal {
    const refusal = refuseServiceWorker(exchange.request)
    if (refusal !== undefined) return refusal
    const live = kind === 'live' ? readLiveViewer(parameters) : undefined
    if (live instanceof Refusal) return live
    const withKind = REFUSALS[kind]?.(parameters)
    if (withKind !== undefined) return withKind
    const letter = kind === 'duplex' ? readLetter(parameters) : undefined
    if (letter instanceof Refusal) return letter
    const joinOptions = readJoinOptions(parameters, this.options, kind)
    if (joinOptions instanceof Refusal) return joinOptions
    const range = kind === 'pipe' ? readRange(exchange.request) : undefined
    const address = kind === 'ask' ? answerAddress(exchange.request, this.options) : undefined
    const head = readReceiverOptions(parameters, name, range, address)
    if (head instanceof Refusal) return head
    // A malformed body would be answered in the middle of the stream.
    if (framing.length !== 0) return new Refusal(FAILURES.bodyNotWanted)
    const { waitMs, onlyIfAwaited, newDigest } = joinOptions
    // No object is spread here: that takes a microsecond, of some forty for a short transfer.
    return {
      joinOptions: {
        kind,
        receivers: kind === 'live' ? 0 : joinOptions.receivers,
        waitMs,
        onlyIfAwaited,
        limits: undefined,
        newDigest,
        range,
        // Whoever asks for nothing in particular takes what is there.
        orLive: kind === 'pipe' && parameters.get('live') === undefined && refuseWithLive(parameters) === undefined,
        live,
        duplex: letter && { letter },
      },
      head,
      ticket: parameters.isEmpty ? undefined : this.#cut.ticketOf(exchange.request, parameters),
    }
  }
}
