import type { HttpRequest, HttpResponse, us_listen_socket } from 'uWebSockets.js'
import type { RequestRecord } from '../http/request-record.js'
import type { Exchange } from '../router/exchange.js'
import type { Certificate } from '../tls/certificate.js'
import { type UwsContext, UwsExchange, type UwsOffer, type UwsServed } from './exchange.js'
import {
  App,
  LIBUS_LISTEN_EXCLUSIVE_PORT,
  SSLApp,
  type UwsApp,
  type UwsTlsApp,
  us_listen_socket_close,
  us_socket_local_port,
} from './module.js'
import { UwsRequest } from './request.js'
import { type Carried, WEBSOCKETS } from './websocket.js'

/** What one certificate is served by. */
export type ServedCertificate = Pick<Certificate, 'cert' | 'key' | 'names'>

/**
 * What Mozilla's guide calls intermediate, as far as uWebSockets has it: forward secrecy and authenticated encryption only.
 * It speaks TLS 1.2 and 1.3, nothing older.
 */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

function tlsOptions({ cert, key }: ServedCertificate) {
  return { cert_file_name: cert, key_file_name: key, ssl_ciphers: CIPHERS }
}

/** How long a client is given to read an answer before its connection is closed, in milliseconds. */
const LINGER_MS = 500

/** Closes the connection. While this has no answer, so does whatever the client sends on. */
function ignore(res: HttpResponse, { clock }: UwsContext): void {
  let isOpen = true
  res.onAborted(() => {
    isOpen = false
  })
  clock.after(LINGER_MS, () => isOpen && res.close())
}

/** uWebSockets looks at the key alone. What has a body is no such request. */
function asksForWebSocket(req: HttpRequest): boolean {
  return (
    req.getHeader('upgrade').toLowerCase() === 'websocket' &&
    req.getHeader('sec-websocket-version') === '13' &&
    req.getHeader('content-length') === '' &&
    req.getHeader('transfer-encoding') === ''
  )
}

function offerOf(req: HttpRequest, context: UwsOffer['context']): UwsOffer {
  const protocols = req.getHeader('sec-websocket-protocol').split(',')
  return {
    key: req.getHeader('sec-websocket-key'),
    protocols: protocols.map((each) => each.trim()).filter((each) => each !== ''),
    context,
  }
}

/** The HTTP server: turns every request into an exchange and hands it over. */
export class UwsServer {
  /**
   * Every app there has been; the first has the port. An app cannot be given another certificate, and one whose names are taken
   * away frees what its connections still use. So new certificates mean a new app, and the old one keeps its connections.
   */
  readonly #apps: UwsApp[]
  readonly #served: UwsServed
  readonly #handle: (exchange: Exchange) => void
  readonly #takesWebSockets: boolean
  #listening: us_listen_socket | undefined
  #requests = 0
  #open = 0
  /** Until when answers are being read, on the clock of the clock. */
  #readUntil = 0

  /**
   * @param certificates for HTTPS; the first serves whoever asks for no name, or one that nobody has
   * @param handle gives every exchange an answer or a role before it returns, and does not throw
   * @throws when uWebSockets cannot use a certificate or its key
   */
  constructor(
    readonly context: UwsContext,
    certificates: readonly ServedCertificate[] | undefined,
    handle: (exchange: Exchange) => void,
    takesWebSockets = false,
  ) {
    this.#handle = handle
    this.#served = {
      ...context,
      log: (record) => this.#over(record),
      onEarlyAnswer: () => {
        this.#readUntil = context.clock.now() + LINGER_MS
      },
    }
    this.#takesWebSockets = takesWebSockets
    this.#apps = [certificates === undefined ? this.#routed(App()) : this.#tlsApp(certificates)]
  }

  /**
   * HTTPS only: whoever connects from here on gets these. Connections that are open stay as they are.
   * @throws when uWebSockets cannot use a certificate or its key; nothing has changed then
   */
  useCertificates(certificates: readonly ServedCertificate[]): void {
    const [door, last] = [this.#apps[0], this.#apps.at(-1)] as [UwsTlsApp, UwsTlsApp]
    const next = this.#tlsApp(certificates)
    // Nothing is accepted in between: this is one turn of the loop.
    if (last !== door) door.removeChildAppDescriptor(last.getDescriptor())
    door.addChildAppDescriptor(next.getDescriptor())
    this.#apps.push(next)
  }

  #tlsApp(certificates: readonly ServedCertificate[]): UwsTlsApp {
    const app = this.#routed(SSLApp(tlsOptions(certificates[0]!)))
    if (certificates.length === 1) return app
    // Names of the first as well, for else another one's wildcard would take them.
    this.context.sockets.quietly(() => {
      for (const certificate of certificates) {
        for (const name of certificate.names) {
          this.#routed(app.addServerName(name, tlsOptions(certificate)).domain(name))
        }
      }
    })
    return app
  }

  #routed<A extends UwsApp>(app: A): A {
    app.any('/*', (res, req) => this.#begin(res, req))
    if (!this.#takesWebSockets) return app
    app.ws<Carried>('/*', {
      ...WEBSOCKETS,
      upgrade: (res, req, wsContext) => {
        if (asksForWebSocket(req)) this.#begin(res, req, offerOf(req, wsContext))
        else req.setYield(true)
      },
    })
    return app
  }

  #begin(res: HttpResponse, req: HttpRequest, offer?: UwsOffer): void {
    const { context } = this
    if (context.sockets.currentIsSpent()) {
      ignore(res, context)
      return
    }
    this.#open++
    const request = new UwsRequest(req, res, context.sockets)
    this.#handle(new UwsExchange(++this.#requests, res, request, this.#served, offer))
  }

  /** Requests whose response is not over. */
  get open(): number {
    return this.#open
  }

  /** Somebody has no answer yet, or may not have read it. */
  get busy(): boolean {
    return this.#open > 0 || this.context.clock.now() < this.#readUntil
  }

  #over(record: RequestRecord): void {
    this.#open--
    this.context.log(record)
  }

  /** Opens the port for this process alone, and returns its number; undefined when it cannot be had. */
  listen(host: string, port: number): Promise<number | undefined> {
    return new Promise((resolve) => {
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

  /** No new connections; those that are open go on. */
  closePort(): void {
    if (this.#listening === undefined) return
    us_listen_socket_close(this.#listening)
    this.#listening = undefined
  }

  /** Closes the port and every connection. */
  close(): void {
    this.closePort()
    for (const app of this.#apps) app.close()
  }
}
