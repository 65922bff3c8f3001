/** A server without a router, for cases that hold a sink or a source of the gateway in their own hands. */

import { Clock, type ReceiverEndpoint, type SenderEndpoint, SlabPool } from '../../core/index.js'
import { ReadSize } from '../../gateway/native/read-size.js'
import { installSocketHelper } from '../../gateway/native/socket-helper.js'
import type { Exchange, SinkOptions, SourceOptions } from '../../gateway/router/exchange.js'
import { atEndOfTurn } from '../../gateway/uws/connection/end-of-turn.js'
import { Keepalive } from '../../gateway/uws/connection/keepalive.js'
import { PeerWatch } from '../../gateway/uws/connection/peer-watch.js'
import { UwsServer } from '../../gateway/uws/server.js'
import type { CertificateFiles } from '../support/certificate.js'
import { connectPeer, type Peer } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'
import type { Place } from './sink-rig.js'

const BEAT_MS = 250

const KICK = 'k'.charCodeAt(0)
/** Follows a kick in the same read: two records of TLS. */
const BEHIND = 'b'.repeat(20_000)

type Handler = (exchange: Exchange) => void

/** What a test needs of a sink or a source that it was given; the endpoints are the test's own. */
export type TestSink = ReturnType<Exchange['toSink']>
export type TestSource = ReturnType<Exchange['toSource']>

export class UwsHost {
  readonly clock = new Clock(() => performance.now())
  readonly keepalive = new Keepalive()
  /** Defects that the gateway's code caught. */
  readonly faults: unknown[] = []
  port = 0
  readonly #server: UwsServer
  readonly #handlers = new Map<string, Handler>()
  readonly #beat: NodeJS.Timeout
  #names = 0
  /** A connection whose bytes are callbacks, and what is to be run in them. */
  #kicker: Promise<Peer> | undefined
  readonly #kicks: (() => void)[] = []
  /** Bytes that stand behind the kicks, and have not come: they are lost when something in the callback did harm. */
  missing = 0

  constructor(readonly tls: CertificateFiles | undefined) {
    const { sockets } = installSocketHelper(true)
    const context = {
      clientAddressOf: (request: { readonly remoteAddress: string }) => request.remoteAddress,
      clock: this.clock,
      keepalive: this.keepalive,
      peers: new PeerWatch(0),
      sockets,
      memory: new SlabPool(65_536, 64),
      readSize: new ReadSize(new SlabPool(65_536, 64), sockets),
      log: () => {},
      onFault: (error: unknown) => this.faults.push(error),
      tls: tls !== undefined && !sockets.speakTls,
      isEncrypted: tls !== undefined,
      clients: null,
      cleanFailures: false,
    }
    this.#server = new UwsServer(context, tls && { certificates: [{ ...tls, names: [] }] }, (exchange) =>
      this.#handle(exchange),
    )
    this.#beat = setInterval(() => this.clock.tick(), BEAT_MS)
  }

  async start(): Promise<this> {
    this.port = (await this.#server.listen('127.0.0.1', 0))!
    return this
  }

  /** Responses that are not over. */
  get open(): number {
    return this.#server.open
  }

  stop(): void {
    void this.#kicker?.then((peer) => peer.leave('destroy'))
    clearInterval(this.#beat)
    this.keepalive.stop()
    this.#server.close()
  }

  /** A name that this handler serves once. */
  serve(handler: Handler): string {
    const name = `/${this.#names++}`
    this.#handlers.set(name, handler)
    return name
  }

  connect(onBytes: (bytes: Buffer) => void, readBytes?: number): Promise<Peer> {
    const tls = this.tls !== undefined
    return connectPeer({ port: this.port, tls, onBytes, ...(readBytes === undefined ? {} : { readBytes }) })
  }

  /** Runs this from such a place, and resolves when it has run. */
  at(place: Place, run: () => void): Promise<void> {
    if (place === 'callback') return this.inCallback(run)
    return new Promise((resolve, reject) => {
      atEndOfTurn({
        flush() {
          run()
          resolve()
        },
        fault: reject,
      })
    })
  }

  /** Runs this inside the `onData` of a connection that is kept for nothing else: where a sender's bytes are fed. */
  async inCallback(run: () => void): Promise<void> {
    this.#kicker ??= this.#openKicker()
    const peer = await this.#kicker
    await new Promise<void>((resolve) => {
      this.#kicks.push(() => {
        run()
        resolve()
      })
      this.missing += BEHIND.length
      void peer.send(`1\r\nk\r\n${BEHIND.length.toString(16)}\r\n${BEHIND}\r\n`)
    })
  }

  async #openKicker(): Promise<Peer> {
    const peer = await this.connect(() => {})
    const name = this.serve((exchange) => {
      const source = exchange.toSource(SOURCE_OPTIONS)
      const feed = (bytes: Uint8Array) => {
        for (const byte of bytes) {
          if (byte === KICK) this.#kicks.shift()!()
          else this.missing--
        }
      }
      const endpoint = { feed, end() {}, left() {}, broken() {}, fault() {} }
      source.joined(endpoint as unknown as SenderEndpoint)
      source.resume()
    })
    await peer.send(`PUT ${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    return peer
  }

  #handle(exchange: Exchange): void {
    const handler = this.#handlers.get(exchange.request.path)
    this.#handlers.delete(exchange.request.path)
    if (handler === undefined) exchange.answer({ status: 200, headers: [], body: 'usable' })
    else handler(exchange)
  }
}

export const SINK_OPTIONS: SinkOptions = {
  accept: '*/*',
  respond: () => ({ status: 200, headers: [['X-Test', 'contract']] }),
}
export const SOURCE_OPTIONS: SourceOptions = {
  replyAtEnd: false,
  isChunked: true,
  expectsContinue: false,
  headers: [['Content-Type', 'text/plain']],
}

/** Endpoints whatever reports like a receiver's endpoint. */
export function seatSink(
  sink: TestSink,
  endpoint: Pick<ReceiverEndpoint, 'drained' | 'finished' | 'left' | 'fault'>,
): void {
  sink.joined(endpoint as ReceiverEndpoint)
}

/** A reader for the answer to one more request on the same connection. */
export function nextResponse(): { reader: ResponseReader; text: () => string } {
  const pieces: string[] = []
  const reader = new ResponseReader((bytes) => pieces.push(bytes.toString('latin1')))
  return { reader, text: () => pieces.join('') }
}

/** Starts a host that stops when the test ends. */
export async function startHost(t: { teardown(undo: () => void): void }, tls?: CertificateFiles): Promise<UwsHost> {
  const host = await new UwsHost(tls).start()
  t.teardown(() => host.stop())
  return host
}
