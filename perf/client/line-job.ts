/** The job `lines`: short lines one by one through an open pipe, each sent when the one before has arrived. */

import { once } from 'node:events'
import { chunked } from './body-writer.js'
import { dial, type Target } from './dial.js'
import type { JobKind } from './job.js'
import { expectPattern, patternAt } from './pattern.js'
import { ResponseReader } from './response.js'

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

async function openChannel({ target, echo, path }: LineArgs): Promise<Channel> {
  const arrival = new Arrival()
  const isHttp = target.scheme !== 'raw'
  const reader = isHttp ? new ResponseReader(arrival.take) : null
  const push =
    reader === null ? (b: Buffer, n: number) => arrival.take(b, 0, n) : (b: Buffer, n: number) => reader.push(b, n)
  const arrives = { bytes: (n: number, b: Buffer) => arrival.guard(() => push(b, n)), closed: arrival.closed }
  const receiver = dial({ target, side: 'receiver', ears: arrives })
  if (isHttp) receiver.write(`GET ${path} HTTP/1.1\r\nHost: perf\r\n\r\n`)
  else await once(receiver, 'connect')
  // The answer to the sender is status lines; what arrived is what counts.
  const sender = echo ? receiver : dial({ target, side: 'sender', ears: { bytes: () => true, closed: arrival.closed } })
  if (isHttp) sender.write(`PUT ${path} HTTP/1.1\r\nHost: perf\r\nTransfer-Encoding: chunked\r\n\r\n`)
  return {
    pass(line, offset) {
      const arrived = arrival.wait(offset + line.length)
      sender.write(isHttp ? chunked(line) : line)
      return arrived
    },
    close() {
      sender.destroy()
      receiver.destroy()
    },
  }
}
