/** A server that says exactly what a test wants the dashboard to hear, when it wants it. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { dashboard } from '../../../plugins/progress/page/index.js'
import { IDLE } from '../../../plugins/transfer-status/idle.js'
import type { Figures, Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { eventually } from '../../support/eventually.js'
import { RestartableServer } from '../../support/restartable-server.js'
import type { Teardown } from '../../support/teardown.js'

interface Refusal {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

export class ScriptedEvents {
  /** The state that a page, and whoever begins to listen, is told. */
  snapshot: Snapshot = IDLE
  /** Sent behind the state, to whoever begins to listen. */
  welcome = ''
  /** Answered to whoever wants to listen. */
  refusal: Refusal | undefined
  /** Addresses of those who listen or listened, in order. */
  readonly listened: string[] = []
  readonly #streams = new Set<ServerResponse>()
  readonly #server = new RestartableServer((request, response) => this.#answer(request, response))

  static async start(t: Teardown): Promise<ScriptedEvents> {
    const events = new ScriptedEvents()
    await events.up()
    t.teardown(() => events.down())
    return events
  }

  get port(): number {
    return this.#server.port
  }

  /** Listens, on the port of before if there was one. */
  up(): Promise<void> {
    return this.#server.up()
  }

  /** Cuts every connection and is gone. */
  down(): Promise<void> {
    this.#streams.clear()
    return this.#server.down()
  }

  url(name = 'backups/tuesday', query = 'progress'): string {
    return `http://127.0.0.1:${this.port}/${name}?${query}`
  }

  /** Resolves when so many have begun to listen, ever, and one of them still does. */
  heardBy(count: number): Promise<void> {
    return eventually(
      () => (this.listened.length >= count && this.#streams.size > 0) || `${this.listened.length} have listened`,
    )
  }

  /** Changes the state and tells it. */
  state(change: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...change }
    this.#tell(event('state', this.snapshot))
  }

  progress(figures: Partial<Figures>): void {
    this.snapshot = { ...this.snapshot, ...figures }
    this.#tell(event('progress', this.snapshot))
  }

  /** The last words; the stream ends. */
  done(receipt: Receipt): void {
    this.snapshot = { ...overOf(receipt) }
    this.#tell(event('state', this.snapshot) + event('done', receipt))
    this.end()
  }

  /** Ends the streams as a server does whose client has stayed for long enough. */
  end(): void {
    for (const stream of this.#streams) stream.end()
    this.#streams.clear()
  }

  #tell(text: string): void {
    for (const stream of this.#streams) stream.write(text)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.accept?.includes('text/html')) {
      const name = new URL(request.url!, 'http://x').pathname.slice(1)
      const page = dashboard(this.snapshot, { name, base: '', frameAncestors: '*', refreshSec: 1 })
      response.writeHead(page.status, page.headers.flat() as string[]).end(page.body)
    } else if (this.refusal !== undefined) {
      this.listened.push(request.url!)
      response.writeHead(this.refusal.status, this.refusal.headers).end(this.refusal.body)
    } else {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
      response.write(event('state', this.snapshot) + this.welcome)
      this.#streams.add(response)
      this.listened.push(request.url!)
      response.on('close', () => this.#streams.delete(response))
      const { state, last } = this.snapshot
      if (state === 'complete' || state === 'failed') response.end(event('done', last))
    }
  }
}

export function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** What a name that has such a receipt says right after the end. */
function overOf(receipt: Receipt): Snapshot {
  const { state, transferId, bytes, totalBytes, avgSpeed, receivers, totalReceivers, startedAt } = receipt
  const { duration, reason, message, sha256 } = receipt
  return {
    ...IDLE,
    state,
    transferId,
    bytes,
    bytesTransferred: bytes,
    totalBytes,
    avgSpeed,
    elapsed: duration,
    receivers,
    activeReceivers: receivers,
    totalReceivers,
    startedAt,
    reason,
    message,
    sha256,
    last: receipt,
  }
}
