import type { MessageKind } from '../client/brokers/crew.js'
import type { Peer } from '../peers.js'
import type { Broker } from './broker.js'

/** pipegate over HTTP, and over WebSocket or with many messages in one request where a kind has that. */
export function pipegateBrokers(kind: MessageKind, peer: Peer): readonly Broker[] {
  const http: Broker = { peer, language: 'pipegate' }
  if (kind === 'queue') return [http, { peer: { ...peer, name: `${peer.name}, lines` }, language: 'lines' }]
  if (kind !== 'topic') return [http]
  return [http, { peer: { ...peer, name: `${peer.name}, WebSocket` }, language: 'websocket' }]
}
