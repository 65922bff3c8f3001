/** pipegate over HTTP with `?queue&lines`: an upload for each producer and a response for each worker, with a line for each message. */

import { ResponseReader } from '../response.js'
import { type Crew, type CrewOptions, openMany, type TakeMessage } from './crew.js'
import { lines } from './pieces.js'
import { Wire } from './wire.js'

const TARGET = '/perf?queue&lines'

export async function openPipegateLines(options: CrewOptions): Promise<Crew> {
  const receivers = await openMany(options.receivers, async (i) => work(options, options.taker(i)))
  const senders = await openMany(options.senders, async () => produce(options))
  return {
    send: (sender, message) => senders[sender]!.write(chunkOf(message)),
    close() {
      for (const each of [...senders, ...receivers]) each.close()
    },
  }
}

/** Its head comes with the first job. */
function work(options: CrewOptions, take: TakeMessage): Wire {
  const messages = lines(take)
  const reader = new ResponseReader((bytes, from, to) => messages.push(bytes, from, to))
  const wire = new Wire(options, 'receiver', (bytes, _from, end) => {
    reader.push(bytes, end)
    if (reader.status !== 0 && reader.status !== 200) throw new Error(`a worker was told ${reader.head}`)
    return end
  })
  wire.write(`GET ${TARGET} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  return wire
}

/** An upload without an end: whatever is answered is a failure. */
function produce(options: CrewOptions): Wire {
  const wire = new Wire(options, 'sender', (bytes, from, end) => {
    throw new Error(`a producer was told ${bytes.toString('latin1', from, end)}`)
  })
  wire.write(`POST ${TARGET} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
  return wire
}

function chunkOf(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${(message.length + 1).toString(16)}\r\n`), message, Buffer.from('\n\r\n')])
}
