/**
 * A worker thread with one server. The poll events that pause() keeps for resume() live in the thread, not in the socket,
 * so what happens before the first pause() can only be seen in a thread of its own. `workerData`: `resume` or `both`.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { listen, Seen, uws } from '../app.js'

const app = uws.App()
app.put('/*', (res) => {
  const seen = new Seen(res)
  seen.read((_chunk, last) => {
    if (seen.calls.length === 1) {
      if (workerData === 'both') res.pause()
      res.resume()
      parentPort?.postMessage('touched')
    }
    if (last) res.end(`${seen.bytes} bytes`)
  })
})
const socket = await listen(app, '127.0.0.1', 0)
if (socket === false) throw new Error('could not listen')
parentPort?.postMessage(uws.us_socket_local_port(socket))
parentPort?.once('message', () => {
  // A thread that ends with an open uWebSockets socket takes the process with it.
  app.close()
  parentPort?.close()
})
