/** A server of progress that says what a test tells it to, event by event. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { IDLE } from '../../../plugins/transfer-status/idle.js'
import type { Figures, Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'

import { eventually } from '../../support/eventually.js'
import { RestartableServer } from '../../support/restartable-server.js'
import type { Teardown } from '../../support/teardown.js'

const { bytes, bytesTransferred, totalBytes, speed, mbps, avgSpeed, eta, etaSec, elapsed } = IDLE
const NOTHING_YET = { bytes, bytesTransferred, totalBytes, speed, mbps, avgSpeed, eta, etaSec, elapsed }

/** The transfer that a test is about, unless it says otherwise. */
export const TRANSFER = 'transfer-number-1'

export const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({ ...IDLE, ...change })

export function streaming(change: Partial<Snapshot> = {}): Snapshot {
  const there = { hasSender: true, receivers: 1, activeReceivers: 1, totalReceivers: 1 }
  return snapshot({ state: 'streaming', transferId: TRANSFER, ...there, ...change })
}

export function receipt(change: Partial<Receipt> = {}): Receipt {
  return {
    state: 'complete',
    transferId: TRANSFER,
    bytes: 7_600_000_000,
    bytesTransferred: 7_600_000_000,
    totalBytes: 7_600_000_000,
    duration: 28_920,
    durationSec: 28_920,
    avgSpeed: 283_000,
    receivers: 1,
    totalReceivers: 1,
    reason: null,
    message: null,
    sha256: null,
    startedAt: 1_800_000_000_000,
    endedAt: 1_800_028_920_000,
    ...change,
  }
}

/** One request, and what the test answers. */
export class ProgressRequest {
  readonly at = performance.now()

  constructor(
    readonly url: string,
    readonly headers: IncomingHttpHeaders,
    readonly response: ServerResponse,
  ) {}

  refuse(status: number, line: string, headers: Readonly<Record<string, string>> = {}): void {
    this.response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${line}\n`)
  }

  json(value: unknown): void {
    this.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }

  state(data: Snapshot): void {
    this.#event('state', data)
  }

  progress(change: Partial<Figures>): void {
    this.#event('progress', { ...NOTHING_YET, receivers: 1, activeReceivers: 1, totalReceivers: 1, ...change })
  }

  done(data: Receipt): void {
    this.#event('done', data, data.transferId)
  }

  /** Bytes of the stream as they are. */
  write(text: string | Uint8Array): void {
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'text/event-stream' })
    this.response.write(text)
  }

  end(): void {
    this.response.end()
  }

  /** As when a process dies. */
  cut(): void {
    this.response.destroy()
  }

  #event(name: string, data: unknown, id?: string): void {
    this.write(`event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
  }
}

export class ProgressServer {
  /** Every request so far. */
  readonly requests: ProgressRequest[] = []
  #taken = 0
  readonly #server = new RestartableServer((request, response) => {
    this.requests.push(new ProgressRequest(request.url!, request.headers, response))
  })

  static async start(t: Teardown): Promise<ProgressServer> {
    const server = new ProgressServer()
    await server.listen()
    t.teardown(() => server.stop())
    return server
  }

  get port(): number {
    return this.#server.port
  }

  /** The next request that has not been taken yet. */
  async next(): Promise<ProgressRequest> {
    await eventually(() => this.requests.length > this.#taken || `only ${this.requests.length} requests have come`, {
      timeoutMs: 30_000,
    })
    return this.requests[this.#taken++]!
  }

  /** On the port that it had before, if it had one. */
  listen(): Promise<void> {
    return this.#server.up()
  }

  stop(): Promise<void> {
    return this.#server.down()
  }

  url(nameAndQuery: string): string {
    return `http://127.0.0.1:${this.port}/${nameAndQuery}`
  }
}
