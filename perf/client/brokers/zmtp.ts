/** ZeroMQ's ZMTP 3.0 without security: https://rfc.zeromq.org/spec/23/ */

import type { CrewOptions, MessageKind } from './crew.js'
import { Wire } from './wire.js'
import type { WireDialect } from './wires.js'

const GREETING_LENGTH = 64
const [MORE, LONG, COMMAND] = [1, 2, 4] as const

const SOCKETS: Readonly<Record<MessageKind, Readonly<Record<'sender' | 'receiver', string>>>> = {
  topic: { sender: 'PUB', receiver: 'SUB' },
  queue: { sender: 'PUSH', receiver: 'PULL' },
  ask: { sender: 'DEALER', receiver: 'DEALER' },
}

/** Gets the last frame of a message, and where its first one began. */
type Take = (bytes: Buffer, from: number, to: number, begin: number) => void

function connect(options: CrewOptions, side: 'sender' | 'receiver', take: Take): Wire {
  let greeted = false
  const wire = new Wire(options, side, (bytes, from, end) => {
    if (!greeted) {
      greeted = end - from >= GREETING_LENGTH
      return greeted ? from + GREETING_LENGTH : from
    }
    for (let at = from; ; ) {
      if (at + 9 > end && (at + 2 > end || (bytes[at]! & LONG) !== 0)) return from
      const flags = bytes[at]!
      const body = at + ((flags & LONG) === 0 ? 2 : 9)
      const to = body + ((flags & LONG) === 0 ? bytes[at + 1]! : Number(bytes.readBigUInt64BE(at + 1)))
      if (to > end) return from
      at = to
      if ((flags & COMMAND) !== 0) wire.welcome()
      else if ((flags & MORE) !== 0) continue
      // A subscription that the proxy passes on is for publishers of the wide world.
      else if (SOCKETS[options.kind][side] !== 'PUB') take(bytes, body, to, from)
      return to
    }
  })
  wire.write(greeting())
  wire.write(ready(SOCKETS[options.kind][side]))
  return wire
}

function greeting(): Buffer {
  const bytes = Buffer.alloc(GREETING_LENGTH)
  bytes[0] = 0xff
  bytes[9] = 0x7f
  bytes[10] = 3
  bytes.write('NULL', 12)
  return bytes
}

function ready(socket: string): Buffer {
  const type = Buffer.from(socket)
  const length = Buffer.from([0, 0, 0, type.length])
  return frame(Buffer.concat([Buffer.from('\x05READY\x0bSocket-Type', 'latin1'), length, type]), COMMAND)
}

function frame(body: Buffer, flags = 0): Buffer {
  if (body.length < 256) return Buffer.concat([Buffer.from([flags, body.length]), body])
  const head = Buffer.alloc(9)
  head[0] = flags | LONG
  head.writeBigUInt64BE(BigInt(body.length), 1)
  return Buffer.concat([head, body])
}

const DELIMITER = frame(Buffer.alloc(0), MORE)

/** A question has the empty frame before it that a REQ socket would send; its answer goes back behind the same frames. */
export const zmtp: WireDialect = {
  sender: (options, index) => connect(options, 'sender', options.taker(index)),
  receiver(options, index) {
    const { kind } = options
    const arrived = options.taker(index)
    const wire = connect(options, 'receiver', (bytes, from, to, begin) => {
      if (kind === 'ask') wire.write(Buffer.from(bytes.subarray(begin, to)))
      else arrived(bytes, from, to)
    })
    // libzmq closes a connection that subscribes before it has been told that the other side is ready.
    if (kind === 'topic') void wire.ready.then(() => wire.write(frame(Buffer.from([1]))))
    return wire
  },
  wrap: ({ kind }, message) => (kind === 'ask' ? Buffer.concat([DELIMITER, frame(message)]) : frame(message)),
}
