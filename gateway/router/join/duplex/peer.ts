import { type PipeTable, Refusal } from '../../../../core/index.js'
import type { Parameters } from '../../../http/parameters.js'
import { receiverHead } from '../../../stream/receiver-headers.js'
import { streamHead } from '../../../stream/stream-head.js'
import type { Admission } from '../../admission.js'
import type { Exchange } from '../../exchange.js'
import type { Incoming, Outcome } from '../../incoming.js'
import type { RouterOptions } from '../../options.js'
import { readSenderJoinOptions } from '../join-options.js'
import { readReceiverOptions } from '../receiver-options.js'
import { refuseOversized, refuseSender, refuseTakenId } from '../refusals.js'
import { headOfPeer, refuseOneWay, refuseWholePeer } from './duplex-options.js'

export const PEER = { side: 'sender', right: 'send' } as const

/** Requests that are a peer of a duplex pipe: what they send is the response of the other one. */
export class PeerHandler {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters): Outcome {
    const { exchange, context, framing } = incoming
    const { request } = exchange
    const refused = refuseSender(request) ?? refuseWholePeer(parameters)
    if (refused !== undefined) return refused
    const joinOptions = readSenderJoinOptions(request, parameters, this.options, 'duplex')
    if (joinOptions instanceof Refusal) return joinOptions
    const wanted = readReceiverOptions(parameters, name)
    if (wanted instanceof Refusal) return wanted
    const head = streamHead(request, framing.length)
    if (head instanceof Refusal) return head
    const hasOwnId = parameters.get('transfer') !== undefined
    const accept = request.header('accept')
    const additions = context ?? undefined
    let both: ReturnType<Exchange['toTwoWay']> | undefined
    const hold = () => {
      both = exchange.toTwoWay(
        { additions, length: framing.length, halfCloses: true },
        {
          additions,
          accept,
          headAtOnce: true,
          respond: (said, pipe, offset) => receiverHead(said, pipe, offset, wanted),
        },
      )
      return both
    }
    const proceed = () => {
      const taken = hasOwnId ? refuseTakenId(joinOptions.transferId, context, this.options) : undefined
      const refusal = refuseOneWay(context) ?? refuseOversized(head, context) ?? taken
      if (refusal !== undefined) return refusal
      const { source, sink } = both ?? hold()
      joinOptions.limits = context?.limits
      joinOptions.duplex = { sink }
      const peer = this.table.joinPeer(context?.key ?? name, source, headOfPeer(head), joinOptions)
      if (peer instanceof Refusal) return peer
      sink.joined(peer.receiver)
      source.joined(peer.sender)
      return undefined
    }
    return this.admission.admit(incoming, PEER, name, proceed, hold)
  }
}
