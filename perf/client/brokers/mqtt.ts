/** MQTT 3.1.1 at QoS 0: https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html */

import type { CrewOptions } from './crew.js'
import { Wire } from './wire.js'
import type { WireDialect } from './wires.js'

const [CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK] = [0x10, 0x20, 0x30, 0x82, 0x90] as const

type Take = (bytes: Buffer, from: number, to: number, topic: string) => void

/** `subscribes`: to what, or null. It is there when it has been told that it is connected, and subscribed if it wants to be. */
function connect(
  options: CrewOptions,
  side: 'sender' | 'receiver',
  id: string,
  subscribes: string | null,
  take: Take,
): Wire {
  const wire = new Wire(options, side, (bytes, from, end) => {
    const length = readLength(bytes, from + 1, end)
    if (length === null || length.next + length.value > end) return from
    const [at, to] = [length.next, length.next + length.value]
    const type = bytes[from]! & 0xf0
    if (type === PUBLISH) {
      const body = at + 2 + bytes.readUInt16BE(at)
      take(bytes, body, to, bytes.toString('latin1', at + 2, body))
    } else if (bytes[to - 1] === 0 && type === (subscribes === null ? CONNACK : SUBACK)) wire.welcome()
    else if (type !== CONNACK || bytes[to - 1] !== 0)
      throw new Error(`the broker said ${bytes.toString('hex', from, to)}`)
    return to
  })
  // A clean session without keep-alive.
  wire.write(packet(CONNECT, text('MQTT'), Buffer.from([4, 2, 0, 0]), text(id)))
  if (subscribes !== null) wire.write(packet(SUBSCRIBE, Buffer.from([0, 1]), text(subscribes), Buffer.from([0])))
  return wire
}

function readLength(bytes: Buffer, from: number, end: number): { value: number; next: number } | null {
  let value = 0
  for (let at = from, shift = 0; at < end; at++, shift += 7) {
    value |= (bytes[at]! & 0x7f) << shift
    if (bytes[at]! < 0x80) return { value, next: at + 1 }
  }
  return null
}

function packet(type: number, ...parts: readonly Buffer[]): Buffer {
  const head = [type]
  let left = parts.reduce((sum, part) => sum + part.length, 0)
  for (; left > 0x7f; left >>= 7) head.push((left & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...head, left]), ...parts])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

const publish = (topic: string, message: Buffer) => packet(PUBLISH, text(topic), message)

/** The workers share a subscription; a question to `ask/7` is answered to `got/7`. */
export const mqtt: WireDialect = {
  sender(options, index) {
    return connect(options, 'sender', `s${index}`, options.kind === 'ask' ? `got/${index}` : null, options.taker(index))
  },
  receiver(options, index) {
    const { kind } = options
    const arrived = options.taker(index)
    const filter = { topic: 'topic', queue: '$share/workers/queue', ask: '$share/workers/ask/+' }[kind]
    const wire = connect(options, 'receiver', `r${index}`, filter, (bytes, from, to, topic) => {
      if (kind === 'ask') wire.write(publish(`got/${topic.slice('ask/'.length)}`, bytes.subarray(from, to)))
      else arrived(bytes, from, to)
    })
    return wire
  },
  wrap: ({ kind }, message, index) => publish(kind === 'ask' ? `ask/${index}` : kind, message),
}
