import { createServer, type RequestListener, type Server } from 'node:http'
import { listenOnLoopback } from './loopback.js'

/** An HTTP server on 127.0.0.1 that can go down and come back on the same port. */
export class RestartableServer {
  /** 0 before it was up for the first time. */
  port = 0
  readonly #listener: RequestListener
  #server: Server | undefined

  constructor(listener: RequestListener) {
    this.#listener = listener
  }

  async up(): Promise<void> {
    const server = createServer(this.#listener)
    this.#server = server
    // 0 would be any port, which may be a client's when it comes back.
    this.port = await listenOnLoopback(server, this.port || undefined)
  }

  /** Refuses connections from now on, and cuts those that are open. */
  async down(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}
