import type { IncomingMessage } from 'node:http'
import type { Reply } from '../../../gateway/host/plugin-api.js'
import { Spent } from './buffer-releaser.js'

/** A piece that leaves at once. What is smaller waits for what comes with it. */
const LARGE = 16 * 1024

/** Hands on the body of an upstream's answer, no faster than the client takes it. @param moved called for each piece */
export function pour(response: IncomingMessage, reply: Reply, moved: (bytes: Buffer) => void): void {
  let spent: Spent | undefined
  reply.onDrain(() => {
    spent?.look()
    response.resume()
  })
  response.on('data', (bytes: Buffer) => {
    moved(bytes)
    const goesOn = reply.write(bytes)
    if (bytes.length >= LARGE) {
      reply.sendNow()
      spent ??= spentOf(response, reply)
      spent.add(bytes)
    }
    if (!goesOn && reply.kept > 0) response.pause()
  })
}

/** Both what the socket has read and what the parser has made of it, which may be a copy. */
function spentOf(response: IncomingMessage, reply: Reply): Spent {
  const { socket } = response
  const spent = new Spent(() => reply.kept === 0 && response.readableLength === 0)
  const read = (bytes: Uint8Array) => spent.add(bytes)
  // Behind the parser's own listener.
  socket.on('data', read)
  response.once('close', () => socket.off('data', read))
  return spent
}
