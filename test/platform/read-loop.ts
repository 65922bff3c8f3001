/**
 * A program for uws-sockets.test.ts: pauses a sender at its first chunk, and tells how many more came all the same.
 *
 * Prints its port, then one line of JSON, and exits. `cap` as its argument caps reads first.
 */

import { installSocketHelper } from '../../gateway/native/socket-helper.js'
import { App, us_socket_local_port } from '../../gateway/uws/module.js'

const MIB = 1024 * 1024
/** Enough to prove the point; the loop could go on for thousands. */
const ENOUGH = 5

const cap = installSocketHelper(process.argv[2] === 'cap').inactive ?? 'active'
let afterPause = 0
let largest = 0

function report(): never {
  process.stdout.write(`${JSON.stringify({ cap, afterPause, largest })}\n`)
  process.exit()
}

/** Gives the sender the time to fill its socket again, as any real work would. */
function work(): void {
  const until = performance.now() + 20
  while (performance.now() < until) {}
}

App()
  .any('/*', (res) => {
    let body = 0
    let paused = false
    res.onAborted(() => {})
    res.onData((chunk) => {
      body += chunk.byteLength
      largest = Math.max(largest, chunk.byteLength)
      if (paused && chunk.byteLength > 0) afterPause++
      // Not at the first bytes: the sender must have had the time to fill the socket.
      if (body > 4 * MIB) paused = true
      if (paused) res.pause()
      work()
      if (afterPause >= ENOUGH) report()
      // Nothing came for a whole second in which the sender wanted to send: the pause holds.
      if (paused) setTimeout(report, 1000)
    })
  })
  .listen('127.0.0.1', 0, 0, (socket) => {
    if (socket === false) throw new Error('no port')
    process.stdout.write(`${us_socket_local_port(socket)}\n`)
  })
