import type { HttpResponse, us_listen_socket } from 'uWebSockets.js'
import type { Exchange } from './exchange.js'
import type { RequestRecord } from './request-log.js'
import { type UwsContext, UwsExchange, type UwsServed } from './uws-exchange.js'
import {
  App,
  LIBUS_LISTEN_EXCLUSIVE_PORT,
  SSLApp,
  type UwsApp,
  us_listen_socket_close,
  us_socket_local_port,
} from './uws-module.js'
import { UwsRequest } from './uws-request.js'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** How long a client is given to read an answer before its connection is closed, in milliseconds. */
const LINGER_MS = 500

/** Closes the connection. While this has no answer, so does whatever the client sends on. */
function ignore(res: HttpResponse, { pulse }: UwsContext): void {
  let isOpen = true
  res.onAborted(() => {
    isOpen = false
  })
  pulse.expect(LINGER_MS, () => isOpen && res.close())
}

/** The HTTP server: turns every request into an exchange and hands it over. */
export class UwsServer {
  readonly #app: UwsApp
  #listening: us_listen_socket | undefined
  #requests = 0
  #open = 0
  /** Until when answers are being read, on the clock of the pulse. */
  #readUntil = 0

  /**
   * @param handle gives every exchange an answer or a role before it returns, and does not throw
   * @throws when uWebSockets cannot use the certificate or the key
   */
  constructor(
    readonly context: UwsContext,
    tls: TlsFiles | undefined,
    handle: (exchange: Exchange) => void,
  ) {
    this.#app = tls === undefined ? App() : SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key })
    const served: UwsServed = {
      ...context,
      log: (record) => this.#over(record),
      onEarlyAnswer: () => {
        this.#readUntil = context.pulse.now() + LINGER_MS
      },
    }
    this.#app.any('/*', (res, req) => {
      if (context.sockets.currentIsSpent()) return ignore(res, context)
      this.#open++
      handle(new UwsExchange(++this.#requests, res, new UwsRequest(req, res, context.sockets), served))
    })
  }

  /** Requests whose response is not over. */
  get open(): number {
    return this.#open
  }

  /** Somebody has no answer yet, or may not have read it. */
  get busy(): boolean {
    return this.#open > 0 || this.context.pulse.now() < this.#readUntil
  }

  #over(record: RequestRecord): void {
    this.#open--
    this.context.log(record)
  }

  /** Opens the port for this process alone, and returns its number; undefined when it cannot be had. */
  listen(host: string, port: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      // Exclusive: otherwise a second gateway would share the port, and half of the pairs would never meet.
      this.#app.listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
        if (socket === false) {
          resolve(undefined)
          return
        }
        this.#listening = socket
        resolve(us_socket_local_port(socket))
      })
    })
  }

  /** No new connections; those that are open go on. */
  closePort(): void {
    if (this.#listening === undefined) return
    us_listen_socket_close(this.#listening)
    this.#listening = undefined
  }

  /** Closes the port and every connection. */
  close(): void {
    this.closePort()
    this.#app.close()
  }
}
