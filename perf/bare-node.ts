/** The floor for latency, as a program: `bare-node.js relay|echo PORT OUT_PORT`. No HTTP, no protection, no limits. */

import { createServer, type Socket } from 'node:net'

const [job, port, outPort] = process.argv.slice(2)

/** Sends back what comes. */
function echo(): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (bytes) => socket.write(bytes)).on('error', () => socket.destroy())
  })
  server.listen(Number(port), '127.0.0.1')
}

/** Hands what comes at one port to the connection that was last made at the other one. */
function relay(): void {
  let receiver: Socket | undefined
  const out = createServer({ noDelay: true }, (socket) => {
    receiver = socket.on('error', () => socket.destroy())
  })
  const into = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (bytes) => receiver?.write(bytes)).on('error', () => socket.destroy())
  })
  out.listen(Number(outPort), '127.0.0.1', () => into.listen(Number(port), '127.0.0.1'))
}

if (job === 'echo') echo()
else relay()
