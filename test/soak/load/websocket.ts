/** WebSockets through the gateway to a server that echoes: every message comes back, in its order, with every byte. */

import { WebSocket } from 'ws'
import { bodyOf } from '../../support/tape.js'
import type { Outcome } from '../tally.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

export function echo(door: Door) {
  return async (job: Job): Promise<Outcome> => {
    const { random, tally } = job
    const messages = Array.from({ length: random.between(1, 30) }, (_, i) =>
      bodyOf(job.id + i, random.below(random.pick([100, 5000, 100_000])!)),
    )
    const goesAfter = random.chance(15) ? random.below(messages.length) : messages.length
    const socket = new WebSocket(`ws://127.0.0.1:${door.port}/ws/`, { perMessageDeflate: false })
    let come = 0
    let bytes = 0
    let closed: number | undefined
    let failed = ''
    let isOpen = false
    socket.on('error', (error) => (failed = error.message))
    // How its connection ended, if the WebSocket was not closed in order.
    let wire = ''
    socket.on('upgrade', ({ socket: below }) => {
      below.on('end', () => (wire += ' FIN'))
      below.on('error', (error: NodeJS.ErrnoException) => (wire += ` ${error.code}`))
    })
    socket.on('close', (code) => (closed = code))
    socket.on('unexpected-response', (_, response) => {
      failed = String(response.headers['x-pipe-code'] ?? `status ${response.statusCode}`)
      response.destroy()
      closed = 0
    })
    socket.on('message', (data: Buffer) => {
      if (messages[come]?.equals(data) !== true)
        tally.problem('wrong bytes', `message ${come} of a WebSocket, job ${job.id}`)
      come++
      bytes += data.length
      if (come >= goesAfter) goesAfter < messages.length ? socket.terminate() : socket.close(1000)
    })
    socket.on('open', () => {
      isOpen = true
      for (const message of messages) socket.send(message)
    })
    try {
      await job.until(() => closed !== undefined)
    } finally {
      socket.terminate()
    }
    if (come === messages.length && closed === 1000) return { result: 'verified', bytes }
    if (come >= goesAfter && goesAfter < messages.length) return { result: 'cut', why: 'client left', bytes }
    const code = /^[A-Z_]+$/.test(failed) ? failed : 'turned away'
    if (!isOpen)
      return job.refused(
        code,
        `a WebSocket, job ${job.id}: ${failed}, open ${isOpen}, closed with ${closed}, after ${Math.round(performance.now() - job.from)} ms`,
      )
    job.explain(
      'WEBSOCKET_CUT',
      `a WebSocket, job ${job.id}, at ${Date.now()}, after ${come} of ${messages.length} messages, closed with ${closed}, connection${wire}: ${failed}`,
    )
    return { result: 'cut', why: 'WebSocket closed', bytes }
  }
}
