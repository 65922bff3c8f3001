import { type DuplexCounts, type PipeTable, Refusal } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import { type Parameters, show } from '../../../http/parameters.js'
import type { RequestView } from '../../../http/request-view.js'
import { RefusalWithHeaders } from '../../../http/response/failure-answer.js'
import type { Admission } from '../../admission.js'
import type { Incoming, Outcome } from '../../incoming.js'
import type { RouterOptions } from '../../options.js'
import { readSenderJoinOptions } from '../join-options.js'
import { refuseTakenId } from '../refusals.js'
import { refuseOneWay, refuseWholePeer } from './duplex-options.js'
import { PEER } from './peer.js'
import { PEER_TERMS, PeerSocket } from './peer-socket.js'

/** WebSockets that are a peer of a duplex pipe. */
export class PeerSocketHandler {
  constructor(
    readonly table: PipeTable,
    readonly options: RouterOptions,
    readonly admission: Admission,
  ) {}

  handle(incoming: Incoming, name: string, parameters: Parameters): Outcome {
    const { exchange, context } = incoming
    const { request, offer } = exchange
    if (offer === undefined) return badHandshake(request)
    const refused = refuseWholePeer(parameters)
    if (refused !== undefined) return refused
    const joinOptions = readSenderJoinOptions(request, parameters, this.options, 'duplex')
    if (joinOptions instanceof Refusal) return joinOptions
    const hasOwnId = parameters.get('transfer') !== undefined
    const accept = request.header('accept')
    const { onFault, memory, whenTurnComes, peerGoneCode } = this.options
    const failed = (error: unknown) => {
      onFault(error)
      return new Refusal(FAILURES.internal, { id: exchange.id })
    }
    return this.admission.admit(incoming, PEER, name, () => {
      const key = context?.key ?? name
      const taken = hasOwnId ? refuseTakenId(joinOptions.transferId, context, this.options) : undefined
      const protocol = protocolFor(offer.protocols, this.table.get(key)?.duplex)
      const refusal = refuseOneWay(context) ?? taken
      if (refusal !== undefined) return refusal
      if (protocol instanceof Refusal) return protocol
      const socket = new PeerSocket(memory, whenTurnComes, peerGoneCode)
      joinOptions.limits = context?.limits
      joinOptions.duplex = { sink: socket, inMessages: true, protocol }
      const peer = this.table.joinPeer(key, socket, { length: undefined, fields: [] }, joinOptions)
      if (peer instanceof Refusal) return peer
      const reply = exchange.toReply(accept, 'keep', failed)
      const link = reply.accept(protocol ?? '', context?.headers ?? [], socket, PEER_TERMS)
      if (link === undefined) socket.neverOpened(peer)
      else socket.joined(peer, link)
      return undefined
    })
  }
}

/** The first that is offered; or the one of the WebSocket that waits, which has to be among them. */
function protocolFor(offered: readonly string[], waiting: DuplexCounts | undefined): string | undefined | Refusal {
  if (waiting?.webSockets !== 1 || waiting.peers !== 1) return offered[0]
  const { protocol } = waiting
  const isCommon = protocol === undefined ? offered.length === 0 : offered.includes(protocol)
  if (isCommon) return protocol
  const found = offered.length === 0 ? 'none' : show(offered.join(', '))
  return new Refusal(FAILURES.unequalProtocols, { expected: protocol === undefined ? 'none' : show(protocol), found })
}

function badHandshake(request: RequestView): Refusal {
  const version = request.header('sec-websocket-version')
  if (version !== '13') {
    return new RefusalWithHeaders(FAILURES.websocketVersion, { found: show(version) }, [
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
    ])
  }
  const key = request.header('sec-websocket-key')
  const found = key === '' ? 'has no Sec-WebSocket-Key' : `its Sec-WebSocket-Key is no key: ${show(key)}`
  return new Refusal(FAILURES.badHandshake, { found })
}
