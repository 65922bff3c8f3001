import type { IncomingMessage } from 'node:http'
import type { Reply } from '../../../gateway/host/plugin-api.js'
import { BufferReleaser } from './buffer-releaser.js'

/** A piece of this size is sent at once. A smaller one waits for what comes with it. */
const LARGE = 16 * 1024

/** Sends the body of an upstream's answer to the client, no faster than the client takes it. @param moved called for each piece */
export function relayBody(response: IncomingMessage, reply: Reply, moved: (bytes: Buffer) => void): void {
  let releaser: BufferReleaser | undefined
  reply.onDrain(() => {
    releaser?.schedule()
    response.resume()
  })
  response.on('data', (bytes: Buffer) => {
    moved(bytes)
    const goesOn = reply.write(bytes)
    if (bytes.length >= LARGE) {
      reply.sendNow()
      releaser ??= releaserFor(response, reply)
      releaser.add(bytes)
    }
    if (!goesOn && reply.kept > 0) response.pause()
  })
}

/** For what the socket has read, and for what the parser has made of it, which may be a copy. */
function releaserFor(response: IncomingMessage, reply: Reply): BufferReleaser {
  const { socket } = response
  const releaser = new BufferReleaser(() => reply.kept === 0 && response.readableLength === 0)
  const read = (bytes: Uint8Array) => releaser.add(bytes)
  // Behind the parser's own listener.
  socket.on('data', read)
  response.once('close', () => socket.off('data', read))
  return releaser
}
