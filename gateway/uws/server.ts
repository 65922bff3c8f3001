import type { HttpRequest, HttpResponse, us_listen_socket } from 'uWebSockets.js'
import { readFileSync } from 'node:fs'
import type { RequestRecord } from '../http/request-record.js'
import { threadHelper } from '../native/threads.js'
import type { Exchange } from '../router/exchange.js'
import type { ExchangeContext, HalfClosable, UwsContext } from './connection/context.js'
import { readHead } from './connection/request-head.js'
import { isWebSocketUpgrade, readWebSocketUpgrade, type WebSocketUpgrade } from './connection/websocket-upgrade.js'
import { UwsExchange } from './exchange.js'
import {
  App,
  LIBUS_LISTEN_EXCLUSIVE_PORT,
  SSLApp,
  type UwsApp,
  type UwsTlsApp,
  us_listen_socket_close,
  us_socket_local_port,
} from './module.js'
import { unfinishedMessageChanged, WEBSOCKET_BEHAVIOR, type WebSocketData } from './roles/websocket.js'
import { type ServerTls, tlsOptions } from './tls-options.js'

/** How long a client is given to read an answer before its connection is closed, in milliseconds. */
const LINGER_MS = 500
/** How long a key for tickets is used: whoever got hold of it could read what is said in resumed sessions of TLS 1.2. */
const TICKETS_MS = 12 * 60 * 60 * 1000

/** Of all servers of this thread, for sockets are numbered by the process. */
const HALF_CLOSABLE: (HalfClosable | undefined)[] = []

/** How requests are numbered, so that no two of a process have the same number. */
export interface RequestNumbers {
  readonly first: number
  readonly step: number
}

/** The HTTP server. It makes an exchange of every request and hands it over. */
export class UwsServer {
  /**
   * Every app there has been. The first one has the port. An app cannot be given another certificate, and an app whose names
   * are removed frees what its connections still use. So new certificates mean a new app, and the old one keeps its
   * connections.
   */
  readonly #apps: UwsApp[]
  readonly #exchangeContext: ExchangeContext
  readonly #handle: (exchange: Exchange) => void
  readonly #takesWebSockets: boolean
  /** TLS is spoken below the engine, with the certificates in this place. 0: it is not. */
  readonly place: number = 0
  #listening: us_listen_socket | undefined
  #hasDoor = false
  /** Uses the certificates again: with them come new keys for tickets. */
  #renew: (() => void) | undefined
  #renewAt = Number.POSITIVE_INFINITY
  #requests: number
  #open = 0
  /** Until when answers may still be being read, by `context.clock`. */
  #readUntil = 0

  /**
   * @param tls for HTTPS
   * @param handle gives every exchange an answer or a role before it returns; does not throw
   * @throws when uWebSockets cannot use a certificate or its key
   */
  constructor(
    readonly context: UwsContext,
    tls: ServerTls | undefined,
    handle: (exchange: Exchange) => void,
    takesWebSockets = false,
    readonly numbers: RequestNumbers = { first: 1, step: 1 },
  ) {
    this.#requests = numbers.first - numbers.step
    this.#handle = handle
    this.#exchangeContext = {
      ...context,
      log: (record) => this.#over(record),
      onEarlyAnswer: () => {
        this.#readUntil = context.clock.now() + LINGER_MS
      },
      exchanges: HALF_CLOSABLE,
    }
    context.sockets.onHalfClosed((socket, asked, early) => HALF_CLOSABLE[socket]?.halfClosed(asked, early))
    context.sockets.onUnfinishedMessage(unfinishedMessageChanged)
    this.#takesWebSockets = takesWebSockets
    if (tls !== undefined && context.sockets.speakTls) {
      this.place = context.sockets.newPlace()
      this.useCertificates(tls)
    }
    this.#apps = [tls === undefined || this.place > 0 ? this.#withRoutes(App()) : this.#tlsApp(tls)]
  }

  /**
   * HTTPS only. New connections get these certificates; open ones stay as they are.
   * @throws when uWebSockets cannot use a certificate or its key; nothing has changed then
   */
  useCertificates(tls: ServerTls): void {
    const { certificates, clients } = tls
    if (this.place > 0) {
      const texts = certificates.map(({ cert, key, names }) => [
        readFileSync(cert, 'utf8'),
        readFileSync(key, 'utf8'),
        ...names,
      ])
      const { auth, authorities, revoked } = clients ?? { auth: undefined, authorities: '', revoked: '' }
      const rule = auth === undefined ? 0 : auth === 'optional' ? 1 : 2
      const use = () => this.context.sockets.useCertificates(this.place, texts, rule, authorities, revoked)
      use()
      this.#renew = use
      this.#renewAt = this.context.clock.now() + TICKETS_MS
      return
    }
    const [listener, last] = [this.#apps[0], this.#apps.at(-1)] as [UwsTlsApp, UwsTlsApp]
    const next = this.#tlsApp(tls)
    // Nothing is accepted in between: this is one turn of the loop.
    if (last !== listener) listener.removeChildAppDescriptor(last.getDescriptor())
    listener.addChildAppDescriptor(next.getDescriptor())
    this.#apps.push(next)
  }

  /** To be called every moment. A session that was begun under keys that are too old is not resumed any more. @param now by `context.clock` */
  renewTickets(now: number): void {
    if (now < this.#renewAt) return
    this.#renewAt = now + TICKETS_MS
    this.#renew!()
  }

  #tlsApp({ certificates, clients }: ServerTls): UwsTlsApp {
    // It would accept clients without one.
    if (clients !== undefined) throw new Error('client certificates need the native helper, which is not active')
    const app = this.#withRoutes(SSLApp(tlsOptions(certificates[0]!)))
    if (certificates.length === 1) return app
    // The names of the first one too, because the wildcard of another one would match them otherwise.
    this.context.sockets.quietly(() => {
      for (const certificate of certificates) {
        for (const name of certificate.names) {
          this.#withRoutes(app.addServerName(name, tlsOptions(certificate)).domain(name))
        }
      }
    })
    return app
  }

  #withRoutes<A extends UwsApp>(app: A): A {
    app.any('/*', (res, req) => this.#begin(res, req))
    if (!this.#takesWebSockets) return app
    app.ws<WebSocketData>('/*', {
      ...WEBSOCKET_BEHAVIOR,
      upgrade: (res, req, wsContext) => {
        if (isWebSocketUpgrade(req)) this.#begin(res, req, readWebSocketUpgrade(req, wsContext))
        else req.setYield(true)
      },
    })
    return app
  }

  #begin(res: HttpResponse, req: HttpRequest, upgrade?: WebSocketUpgrade): void {
    const { context } = this
    this.#open++
    const head = readHead(req, res, context.sockets)
    this.#requests += this.numbers.step
    this.#handle(new UwsExchange(this.#requests, res, head, this.#exchangeContext, upgrade))
  }

  /** Requests whose response is not over. */
  get open(): number {
    return this.#open
  }

  /** How many handshakes have failed since the start, where TLS is spoken below the engine. */
  get handshakesFailed(): number {
    return this.context.sockets.handshakesFailed(this.place)
  }

  /** See {@link Sockets.failedHandshakes}. */
  get failedHandshakes(): string {
    return this.context.sockets.failedHandshakes(this.place)
  }

  /** Some client has no answer yet, or may not have read it. */
  get busy(): boolean {
    return this.#open > 0 || this.context.clock.now() < this.#readUntil
  }

  #over(record: RequestRecord): void {
    this.#open--
    this.context.log(record)
  }

  /** Opens the port for this process alone, and returns its number; undefined when the port cannot be opened. */
  listen(host: string, port: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.context.sockets.openForTls(this.place)
      this.context.sockets.watchPeers(this.context.peers.seconds)
      // Exclusive: otherwise a second gateway would share the port, and half of the pairs would never meet.
      this.#apps[0]!.listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
        if (socket === false) {
          resolve(undefined)
          return
        }
        this.#listening = socket
        resolve(us_socket_local_port(socket))
      })
    })
  }

  /**
   * Opens the port for servers in other threads, to which its connections go: see {@link joinThreads}. Returns its number; undefined when it cannot
   * be opened.
   */
  openDoor(host: string, port: number): number | undefined {
    this.context.sockets.openForTls(this.place)
    this.context.sockets.watchPeers(this.context.peers.seconds)
    const opened = threadHelper().openDoor(host, port)
    this.#hasDoor = opened >= 0
    return this.#hasDoor ? opened : undefined
  }

  /**
   * Serves no port of its own: its connections are accepted for several threads, and change hands between them.
   * @param number of this thread
   */
  joinThreads(number: number): void {
    const helper = threadHelper()
    helper.onConnections(() => {
      for (let socket = helper.takeConnection(); socket >= 0; socket = helper.takeConnection()) {
        this.#apps[0]!.adoptSocket(socket)
      }
    })
    helper.joinThreads(number)
  }

  /** No new connections; those that are open go on. */
  closePort(): void {
    if (this.#hasDoor) threadHelper().closeDoor()
    this.#hasDoor = false
    if (this.#listening === undefined) return
    us_listen_socket_close(this.#listening)
    this.#listening = undefined
  }

  /** Closes the port and every connection. */
  close(): void {
    this.closePort()
    for (const app of this.#apps) app.close()
    if (this.place > 0) this.context.sockets.leavePlace(this.place)
  }
}
