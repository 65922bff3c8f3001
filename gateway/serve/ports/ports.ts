import { Refusal } from '../../../core/index.js'
import type { Config } from '../../config/config.js'
import { FAILURES } from '../../http/failures.js'
import type { HostRule } from '../../http/hosts.js'
import type { RequestView } from '../../http/request-view.js'
import type { Logger } from '../../log/log.js'
import type { Exchange } from '../../router/exchange.js'
import type { Tls } from '../../tls/certificate-watcher.js'
import { UwsServer } from '../../uws/server.js'
import { FailedHandshakes } from '../failed-handshakes.js'
import type { Place } from '../threads/place.js'
import { failedHandshakesOf } from '../threads/published.js'
import { explainListenFailure } from './listen-failure.js'
import { redirect, uncertified } from './redirect.js'

type Handle = (exchange: Exchange) => void

/** What serves the main port. */
export interface Service {
  readonly handle: Handle
  readonly takesWebSockets: boolean
  /** Which hosts are served. */
  readonly hosts: HostRule
  /** For HTTPS. */
  readonly tls: Tls | undefined
}

/** The ports of a gateway: the main one, and perhaps one that redirects to it. */
export class Ports {
  readonly #server: UwsServer
  /** Tells clients without TLS where the main port is. */
  readonly #redirects: UwsServer | undefined
  /** Handshakes of the main port that have come to nothing. */
  readonly handshakes: FailedHandshakes
  #number = 0
  /** Of all certificates. */
  #names: readonly string[] = []

  /** @throws when a certificate and its key cannot be used */
  constructor(
    readonly config: Config,
    context: ConstructorParameters<typeof UwsServer>[0],
    { handle, takesWebSockets, hosts, tls }: Service,
    readonly log: Logger,
    readonly place?: Place,
  ) {
    const numbers = place && { first: place.number + 1, step: place.threads }
    this.#server = new UwsServer(context, tls, this.#guarded(handle), takesWebSockets, numbers)
    const failed = place === undefined ? this.#server : failedHandshakesOf(place, context.sockets)
    this.handshakes = new FailedHandshakes(failed, log)
    if (config.redirectPort === undefined) return
    this.#names = tls?.certificates.flatMap(({ names }) => names) ?? []
    const unserved = (request: RequestView) =>
      hosts.isBounded ? hosts.unserved(request) : uncertified(request, this.#names)
    const toMain = this.#guarded((exchange) => redirect(exchange, { port: this.#number, unserved }))
    this.#redirects = new UwsServer({ ...context, tls: false, isEncrypted: false, clients: null }, undefined, toMain)
  }

  /**
   * Opens the main port, and then the one that redirects to it. Returns the number of the main one, which matters when the
   * configuration says 0. Where several gateways have one port, connections of that come in instead, and the number is 0.
   * @throws with one line on why a port cannot be opened; the main port is closed again then
   */
  async open(): Promise<number> {
    try {
      await this.#open()
    } catch (error) {
      this.#server.close()
      throw error
    }
    return this.#number
  }

  async #open(): Promise<void> {
    if (this.place !== undefined) {
      this.#server.joinThreads(this.place.number)
      return
    }
    const { host, port, redirectPort = 0, threads } = this.config
    const opened = threads > 1 ? this.#server.openDoor(host, port) : await this.#server.listen(host, port)
    if (opened === undefined) throw new Error(await explainListenFailure(host, port, '--port'))
    this.#number = opened
    if (this.#redirects === undefined) return
    const from = await this.#redirects.listen(host, redirectPort)
    if (from === undefined) throw new Error(await explainListenFailure(host, redirectPort, '--redirect-port'))
    this.log.info({ from, to: opened }, 'redirecting to HTTPS')
  }

  /** See {@link Place}. */
  get tlsPlace(): number {
    return this.#server.place
  }

  /** Requests on the main port whose response is not over. */
  get openRequests(): number {
    return this.#server.open
  }

  /** Whether a client has no answer yet, or may not have read it. */
  get busy(): boolean {
    return this.#servers.some((server) => server.busy)
  }

  /** @throws when a certificate or its key cannot be used; nothing has changed then */
  useCertificates(tls: Tls): void {
    this.#server.useCertificates(tls)
    this.#names = tls.certificates.flatMap(({ names }) => names)
  }

  /** To be called every moment. @param now in milliseconds */
  tick(now: number): void {
    this.handshakes.report(now)
    this.#server.renewTickets(now)
  }

  /** No new connections. */
  stopListening(): void {
    for (const server of this.#servers) server.closePort()
  }

  /** Closes every connection. */
  close(): void {
    for (const server of this.#servers) server.close()
  }

  get #servers(): readonly UwsServer[] {
    return this.#redirects === undefined ? [this.#server] : [this.#server, this.#redirects]
  }

  /** A defect costs its own request only. */
  #guarded(handle: Handle): Handle {
    return (exchange) => {
      try {
        handle(exchange)
      } catch (error) {
        this.log.error({ err: error, id: exchange.id }, 'a request met a defect of the gateway')
        const refusal = new Refusal(FAILURES.internal, { id: exchange.id })
        exchange.refuse(refusal, exchange.request.header('accept'), 'close')
      }
    }
  }
}
