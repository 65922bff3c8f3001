/** pipegate's topics over WebSocket: https://www.rfc-editor.org/rfc/rfc6455 */

import { type Crew, type CrewOptions, openMany, type TakeMessage } from './crew.js'
import { Wire } from './wire.js'

const [TEXT, BINARY, PING, PONG] = [1, 2, 9, 10] as const
const FIN = 0x80
const MASKED = 0x80

/** Of a topic's subscribers the first ones publish too: a WebSocket gets its own messages. */
export async function openWebSockets(options: CrewOptions): Promise<Crew> {
  const wires = await openMany(options.receivers, async (i) => {
    const wire = subscribe(options, options.taker(i))
    await wire.ready
    return wire
  })
  return {
    send: (sender, message) => wires[sender]!.write(frame(TEXT, message)),
    close() {
      for (const wire of wires) wire.close()
    },
  }
}

function subscribe(options: CrewOptions, take: TakeMessage): Wire {
  let upgraded = false
  const wire = new Wire(options, 'receiver', (bytes, from, end) => {
    if (!upgraded) {
      const stop = bytes.indexOf('\r\n\r\n', from)
      if (stop < 0 || stop + 4 > end) return from
      const head = bytes.toString('latin1', from, stop)
      if (!head.startsWith('HTTP/1.1 101 '))
        throw new Error(`a WebSocket was told ${head.slice(0, head.indexOf('\r'))}`)
      upgraded = true
      wire.welcome()
      return stop + 4
    }
    const at = readHead(bytes, from, end)
    if (at === null || at.to > end) return from
    const opcode = bytes[from]! & 0x0f
    if ((bytes[from]! & FIN) === 0 || opcode > PONG) throw new Error(`not a whole message: opcode ${bytes[from]}`)
    if (opcode === TEXT || opcode === BINARY) take(bytes, at.body, at.to)
    else if (opcode === PING) wire.write(frame(PONG, bytes.subarray(at.body, at.to)))
    else if (opcode !== PONG) throw new Error(`a WebSocket was closed: ${bytes.toString('utf8', at.body + 2, at.to)}`)
    return at.to
  })
  wire.write(
    'GET /perf?topic HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGlwZWdhdGUgcGVyZi4uLg==\r\n\r\n',
  )
  return wire
}

function readHead(bytes: Buffer, from: number, end: number): { body: number; to: number } | null {
  if (end - from < 10 && end - from < 2 + ({ 126: 2, 127: 8 }[bytes[from + 1]!] ?? 0)) return null
  const short = bytes[from + 1]!
  if (short < 126) return { body: from + 2, to: from + 2 + short }
  if (short === 126) return { body: from + 4, to: from + 4 + bytes.readUInt16BE(from + 2) }
  return { body: from + 10, to: from + 10 + Number(bytes.readBigUInt64BE(from + 2)) }
}

/** With the mask that changes nothing: a client has to name one. */
function frame(opcode: number, body: Buffer): Buffer {
  const mask = [0, 0, 0, 0]
  if (body.length < 126) return Buffer.concat([Buffer.from([FIN | opcode, MASKED | body.length, ...mask]), body])
  if (body.length > 0xffff) throw new Error('no lane has messages of this size')
  const length = [body.length >> 8, body.length & 0xff]
  return Buffer.concat([Buffer.from([FIN | opcode, MASKED | 126, ...length, ...mask]), body])
}
