/** A message system: how it is started, and what it speaks. */

import type { MessageKind } from '../client/brokers/crew.js'
import type { Language } from '../client/brokers/index.js'
import type { Target } from '../client/dial.js'
import type { Peer, StartOptions } from '../peers.js'

export interface Broker {
  readonly peer: Peer
  readonly language: Language
  /** Why it is not asked for the memory of idle receivers, as a sentence for the report. */
  readonly noIdle?: string
}

/** One that is started for messages of one kind, with a folder of its own; or why it cannot carry them. */
export type StartsBroker = (kind: MessageKind, folder: string) => Broker | string

/** It takes at its first port, and gives there too. */
export const onePort = ({ ports: [port] }: StartOptions): Target => ({ scheme: 'raw', port, outPort: port })
