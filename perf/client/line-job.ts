/** The job `lines`: short lines one by one through an open pipe, each sent when the one before has arrived. */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { dial, type Target } from './dial.js'
import { type Dialect, dialectOf } from './dialects.js'
import type { JobKind } from './job.js'
import { expectPattern, patternAt } from './pattern.js'

export interface LineArgs {
  readonly target: Target
  /** What is sent at one connection comes back on the same one. */
  readonly echo: boolean
  readonly path: string
  /** Of every line. */
  readonly bytes: number
  readonly lines: number
  /** Lines before those that count. */
  readonly warmUp: number
}

/** Both ends are in this process, so that one clock measures. Resolves with microseconds from write to arrival. */
export const lines: JobKind<LineArgs, number[]> = async (args) => {
  const { bytes, warmUp, lines: count } = args
  const channel = await openChannel(args)
  const times: number[] = []
  for (let i = 0; i < warmUp + count; i++) {
    const from = performance.now()
    await channel.pass(patternAt(i * bytes, bytes), i * bytes)
    if (i >= warmUp) times.push((performance.now() - from) * 1000)
  }
  channel.close()
  return times
}

interface Channel {
  /** Sends a line, which stands at `offset` of the pattern. Resolves when all of it has arrived. */
  pass(line: Buffer, offset: number): Promise<void>
  close(): void
}

/** Counts and compares what arrives. */
class Arrival {
  #received = 0
  #awaited = 0
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}

  wait(until: number): Promise<void> {
    this.#awaited = until
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  take = (buffer: Buffer, from: number, to: number): void => {
    expectPattern(buffer, from, to, this.#received)
    this.#received += to - from
    if (this.#received > this.#awaited) throw new Error('more bytes arrived than were sent')
    if (this.#received === this.#awaited) this.#resolve()
  }

  /** Runs `read`, and fails the line that is on its way when it throws. */
  guard(read: () => void): true {
    try {
      read()
    } catch (error) {
      this.#reject(error)
    }
    return true
  }

  closed = (): void => this.#reject(new Error('the connection was closed'))
}

async function openChannel({ target, echo, path, bytes }: LineArgs): Promise<Channel> {
  const arrival = new Arrival()
  const dialect = dialectOf(target, path, bytes)
  const receiver = await listen(target, dialect, arrival)
  // The answer to the sender is of no interest: what arrives is what counts.
  const sender = echo ? receiver : dial({ target, side: 'sender', ears: { bytes: () => true, closed: arrival.closed } })
  sender.write(dialect.sends)
  return {
    pass(line, offset) {
      const arrived = arrival.wait(offset + line.length)
      sender.write(dialect.wrap(line))
      return arrived
    },
    close() {
      sender.destroy()
      receiver.destroy()
    },
  }
}

/** Connects a receiver, and waits until it is one as far as its protocol can tell. */
async function listen(target: Target, { asks, welcome, createReader }: Dialect, arrival: Arrival): Promise<Socket> {
  const push = createReader(arrival.take)
  let heard = ''
  let welcomed: () => void = () => {}
  const isWelcome = new Promise<void>((resolve) => {
    welcomed = resolve
  })
  const read = (length: number, buffer: Buffer): void => {
    if (welcome === null || heard.endsWith(welcome)) push(buffer, length)
    else {
      heard += buffer.toString('latin1', 0, length)
      if (heard.endsWith(welcome)) welcomed()
    }
  }
  const bytes = (length: number, buffer: Buffer) => arrival.guard(() => read(length, buffer))
  const socket = dial({ target, side: 'receiver', ears: { bytes, closed: arrival.closed } })
  await once(socket, 'connect')
  socket.write(asks)
  if (welcome !== null) await isWelcome
  return socket
}
