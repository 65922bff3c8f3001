/** A thread of its own, so that the load does not hold it: asks for the health on a kept connection, every 20 ms. */

import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'
import type { ProbeTarget, Silence } from './probe.js'

const EVERY_MS = 20
const REQUEST = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: localhost\r\n\r\n'
/** Silences from here on are told. */
const TELL_MS = 50

const { port, tls, pid } = workerData as ProbeTarget

/** Milliseconds for which the gateway's loop, and this thread, have been ready to run and had no core, since they began. */
function waitedMs(): number {
  let sum = 0
  for (const thread of [`/proc/${pid}`, '/proc/thread-self']) {
    try {
      // The second of three figures, in nanoseconds: Documentation/scheduler/sched-stats.rst of Linux.
      sum += Number(readFileSync(`${thread}/schedstat`, 'latin1').split(' ')[1]) / 1e6
    } catch {
      // The gateway has ended, or this kernel does not count.
    }
  }
  return sum
}

let isOver = false
let isHeard = false
parentPort!.once('message', () => {
  isOver = true
})

while (!isOver) {
  const socket: Socket = tls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect({ port, host: '127.0.0.1', noDelay: true })
  await probe(socket)
  socket.destroy()
  await sleep(EVERY_MS)
}
parentPort!.close()

/** Asks until the connection is closed. */
async function probe(socket: Socket): Promise<void> {
  let answered = () => {}
  let isClosed = false
  socket.on('error', () => {})
  const end = () => {
    isClosed = true
    answered()
  }
  socket.on('close', end).on('end', end)
  // The answer is one small packet.
  socket.on('data', () => answered())
  while (!isOver && !isClosed) {
    const before = waitedMs()
    const from = Number(process.hrtime.bigint()) / 1e6
    const answer = new Promise<void>((resolve) => (answered = resolve))
    socket.write(REQUEST)
    await answer
    if (!isHeard && !isClosed) parentPort!.postMessage('heard')
    isHeard = true
    const to = Number(process.hrtime.bigint()) / 1e6
    if (to - from >= TELL_MS && !isClosed) {
      // Who has ended meanwhile has not waited less than nothing.
      const silence: Silence = { from, to, waitedMs: Math.max(0, waitedMs() - before) }
      parentPort!.postMessage(silence)
    }
    await sleep(EVERY_MS)
  }
}
