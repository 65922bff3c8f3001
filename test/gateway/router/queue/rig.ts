/** Workers and producers of a queue over real connections. */
import type { Test } from 'tap'
import t from 'tap'
import type { QueueCounts } from '../../../../core/index.js'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import type { RawClient, RawResponse } from '../../../support/raw.js'

export const MIB = 1024 * 1024

/** A worker on a connection of its own: it can ask again and again. */
export class Worker {
  #from = 0

  constructor(
    readonly client: RawClient,
    readonly target: string,
  ) {}

  /** Asks for a job, and does not wait for it. */
  ask(...headers: string[]): Promise<void> {
    const lines = [`GET /${this.target} HTTP/1.1`, 'Host: x', ...headers]
    return this.client.send(`${lines.join('\r\n')}\r\n\r\n`)
  }

  /** The next job, whole. */
  async job(timeoutMs = 10_000): Promise<RawResponse> {
    const response = await this.client.waitForResponse({ from: this.#from, timeoutMs })
    this.#from += response.end
    return response
  }
}

/** A worker that has asked for a job of this queue and waits. */
export async function work(gateway: Running, target = 'q?queue'): Promise<Worker> {
  const worker = new Worker(await gateway.connect(), target)
  await worker.ask()
  return worker
}

/** A sender with this body, announced or in one chunk. */
export async function produce(
  gateway: Running,
  body: string,
  target = 'q?queue',
  isChunked = false,
): Promise<RawClient> {
  const client = await gateway.connect()
  const [framing, wire] = isChunked
    ? ['Transfer-Encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`]
    : [`Content-Length: ${body.length}`, body]
  await client.send(`PUT /${target} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n${wire}`)
  return client
}

export function countsOf(gateway: Running, name = 'q'): QueueCounts | undefined {
  return gateway.gateway.table.get(name)?.queue
}

/** Waits until so many wait there and run. */
export function counts(gateway: Running, senders: number, receivers: number, running = 0, name = 'q'): Promise<void> {
  return eventually(() => {
    const found = countsOf(gateway, name) ?? { senders: 0, receivers: 0, running: 0 }
    const isSo = found.senders === senders && found.receivers === receivers && found.running === running
    return isSo || JSON.stringify(found)
  })
}

/** The last line that a sender has read, once its response has ended. */
export async function lastLine(sender: RawClient): Promise<string> {
  const { body } = await sender.waitForResponse()
  return body.toString().trimEnd().split('\n').at(-1) ?? ''
}

t.jobs = 3
export const parts: Promise<unknown>[] = []
export const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
