/** A crew of which everybody has one wire: what differs is only what they say. */

import { type Crew, type CrewOptions, openMany } from './crew.js'
import type { Wire } from './wire.js'

export interface WireDialect {
  /** Connects a sender. It is there when its wire is ready. */
  sender(options: CrewOptions, index: number): Wire
  /** Connects a receiver. */
  receiver(options: CrewOptions, index: number): Wire
  /** A message as sender number `index` sends it. */
  wrap(options: CrewOptions, message: Buffer, index: number): Buffer
}

/** Opens it, receivers first. */
export async function openWires(dialect: WireDialect, options: CrewOptions): Promise<Crew> {
  const open = async (wire: Wire) => {
    await wire.ready
    return wire
  }
  const receivers = await openMany(options.receivers, (i) => open(dialect.receiver(options, i)))
  const senders = await openMany(options.senders, (i) => open(dialect.sender(options, i)))
  return {
    send: (sender, message) => senders[sender]!.write(dialect.wrap(options, message, sender)),
    close() {
      for (const wire of [...senders, ...receivers]) wire.close()
    },
  }
}
