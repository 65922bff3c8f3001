import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import type { HeldBytes, Join, Reply, WebSocketLink, WebSocketOffer } from '../../../gateway/host/plugin-api.js'
import type { FailureKey } from '../failures.js'
import { responseHeaders } from '../headers/response-headers.js'
import type { Upstream } from '../pool/upstream.js'
import type { OutgoingRequest } from '../relay/outgoing-request.js'
import { relayBody } from '../relay/relay-body.js'
import { failureOf } from '../relay/upstream-error.js'
import type { ActiveWebSocket, Service } from '../service/service.js'
import { PingRelay } from './ping-relay.js'
import { unfinishedBytes } from './unfinished-message.js'

/** Bytes that the upstream has not taken. A client cannot be paused, so that one that exceeds this is closed. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024
/** What a message weighs besides its bytes, which may be none. */
const MESSAGE_COST = 1024
/** With this many bytes that the upstream has not taken, no ping is passed on. */
const PING_LIMIT_BYTES = 16 * 1024
/** "Going away". */
const GOING_AWAY = 1001
/** "Message too big". */
const TOO_BIG = 1009
/** "Try again later": RFC 6455 and its registry of status codes. */
const TRY_AGAIN = 1013
const NO_CODE = 1005
const ABNORMAL = 1006
/** The gateway's own, of the handshake. */
const HANDSHAKE = /^sec-websocket-/

/** What Node sends in no request line. */
const NO_PATH = /[^!-\xff]/

/** A client that asks for a WebSocket. */
export interface WebSocketClient {
  readonly offer: WebSocketOffer
  readonly reply: Reply
  readonly join: Join
}

/** Two WebSockets, the client's and one to an upstream. What comes on one is sent on the other. */
export class Tunnel implements ActiveWebSocket {
  index = -1
  #socket: WebSocket | undefined
  #upstream: Upstream | undefined
  #link: WebSocketLink | undefined
  /** Bytes from the client that the upstream has not taken. */
  #pending = 0
  /** Of a message of the upstream that has not come whole. */
  #unfinished = 0
  readonly #held: HeldBytes
  readonly #toUpstream: PingRelay
  readonly #toClient: PingRelay
  /** The newest ping of the upstream, until it has been answered. */
  #ping: Buffer | undefined
  #isStopped = false

  constructor(
    readonly service: Service,
    readonly outgoing: OutgoingRequest,
    readonly client: WebSocketClient,
  ) {
    const { host } = service
    const now = () => host.now()
    this.#held = host.gateway.countHeld()
    this.#toUpstream = new PingRelay(now, (bytes) => {
      if (!this.#keepsUp) return false
      this.#socket!.ping(bytes)
      return true
    })
    this.#toClient = new PingRelay(now, (bytes) => {
      this.#link?.ping(bytes)
      return true
    })
  }

  start(): void {
    const { service, outgoing, client } = this
    const upstream = service.pool.pick(outgoing.key)
    if (upstream === undefined) {
      this.#refuse('noUpstream', new Error(service.pool.why))
      return
    }
    this.#upstream = upstream
    // Once it is open, its own end is told.
    client.join.onOver(() => {
      if (this.#socket?.readyState === WebSocket.CONNECTING) this.#socket.terminate()
    })
    try {
      if (NO_PATH.test(this.outgoing.url)) throw new Error('its path has characters that are not sent')
      this.#connect(upstream)
    } catch (error) {
      this.#refuse('badRequest', error as Error)
    }
  }

  #connect({ protocol, host, port, serverName }: Upstream): void {
    const { service, outgoing, client } = this
    const { connect, response } = service.timeouts
    const headers = Object.entries(outgoing.headers).filter(([name]) => !HANDSHAKE.test(name))
    const at = host.includes(':') ? `[${host}]` : host
    const socket = new WebSocket(`${protocol.replace('http', 'ws')}//${at}:${port}`, [...client.offer.protocols], {
      headers: Object.fromEntries(headers) as Record<string, string>,
      // As part of the address it would be parsed, and changed.
      finishRequest: (request) => {
        request.path = outgoing.url
        request.end()
      },
      autoPong: false,
      perMessageDeflate: false,
      maxPayload: MAX_PENDING_BYTES,
      followRedirects: false,
      ...(Number.isFinite(connect + response) && { handshakeTimeout: connect + response }),
      ...(protocol === 'https:' && { servername: serverName ?? '', ...service.trust }),
    })
    this.#socket = socket
    let answer: IncomingMessage | undefined
    socket.on('upgrade', (head) => {
      answer = head
    })
    socket.on('open', () => this.#accept(answer!))
    socket.on('unexpected-response', (request, refusal) => this.#passOn(request, refusal))
    socket.on('error', (error) => this.#failed(error))
    socket.on('message', (data, isBinary) => {
      if (this.#link?.send(data as Buffer, !isBinary) === false) socket.pause()
    })
    socket.on('ping', (data) => {
      this.#toClient.ping(data)
      // Of those that come together the newest is answered.
      if (this.#ping === undefined) setImmediate(() => this.#pong())
      this.#ping = data
    })
    socket.on('pong', () => this.#toUpstream.pong())
    service.webSockets.add(this)
    socket.on('close', (code, reason) => {
      service.webSockets.remove(this)
      this.#unfinished = 0
      this.#count()
      if (code === ABNORMAL) this.#brokeOff(new Error('the upstream disconnected'))
      this.#link?.close(code, reason.toString())
    })
  }

  #accept(answer: IncomingMessage): void {
    const { service, client } = this
    const socket = this.#socket!
    service.pool.succeeded(this.#upstream!)
    const headers = responseHeaders(answer.rawHeaders)?.filter(([name]) => !HANDSHAKE.test(name.toLowerCase()))
    if (headers === undefined) {
      this.#refuse('badResponse', new Error('the head of its response has what cannot be passed on'))
      return
    }
    const protocol = answer.headers['sec-websocket-protocol'] ?? ''
    this.#link = client.offer.accept(protocol, headers, {
      onMessage: (bytes, isText) => this.#fromClient(bytes, isText),
      onPing: (bytes) => this.#toUpstream.ping(bytes),
      onPong: () => this.#toClient.pong(),
      onDrain: () => socket.resume(),
      onClose: (code, reason) => this.#clientClosed(code, reason),
    })
    // Behind the listener of `ws` itself.
    answer.socket.on('data', () => {
      this.#unfinished = unfinishedBytes(socket)
      if (!this.#count()) this.#noRoom('the gateway has no memory left')
    })
    if (this.#link === undefined) socket.terminate()
    else if (service.host.gateway.draining) this.drain()
  }

  /** Closes both sides: a WebSocket has no end of its own to wait for. */
  drain(): void {
    this.#link?.close(GOING_AWAY, 'the gateway is shutting down')
  }

  stop(): void {
    this.#isStopped = true
    this.#socket?.terminate()
    this.#held.set(0)
  }

  /** False: there is no memory for what is held now. */
  #count(): boolean {
    return this.#isStopped || this.#held.set(this.#pending + this.#unfinished)
  }

  /** Neither side can be made to wait. */
  #noRoom(why: string): void {
    this.#link?.close(TRY_AGAIN, why)
    this.#socket!.terminate()
  }

  #pong(): void {
    if (this.#ping === undefined || !this.#keepsUp) return
    this.#socket!.pong(this.#ping)
    this.#ping = undefined
  }

  get #keepsUp(): boolean {
    const socket = this.#socket!
    return socket.readyState === socket.OPEN && socket.bufferedAmount < PING_LIMIT_BYTES
  }

  #fromClient(bytes: Uint8Array, isText: boolean): void {
    const socket = this.#socket!
    if (socket.readyState > socket.OPEN) return
    const cost = MESSAGE_COST + bytes.length
    // A message of the greatest length goes when nothing is ahead of it.
    if (this.#pending > 0 && this.#pending + cost > MAX_PENDING_BYTES) {
      this.#noRoom('the service does not keep up')
      return
    }
    this.#pending += cost
    if (!this.#count()) {
      this.#pending -= cost
      this.#noRoom('the gateway has no memory left')
      return
    }
    socket.send(Buffer.from(bytes), { binary: !isText }, () => this.#taken(cost))
  }

  #taken(cost: number): void {
    this.#pending -= cost
    this.#count()
    this.#pong()
    this.#toUpstream.flush()
  }

  #clientClosed(code: number, reason: string): void {
    const socket = this.#socket!
    this.#link = undefined
    if (code === ABNORMAL || code === TRY_AGAIN) socket.terminate()
    else if (code === NO_CODE) socket.close()
    else socket.close(code, reason)
  }

  /** The upstream wants no WebSocket, and says why. */
  #passOn(request: ClientRequest, answer: IncomingMessage): void {
    const { reply } = this.client
    const headers = responseHeaders(answer.rawHeaders)
    const status = answer.statusCode!
    reply.onDrain(() => answer.resume())
    answer.on('error', () => reply.cut())
    answer.on('end', () => reply.close())
    if (headers === undefined || status < 200 || status > 599) {
      request.destroy()
      this.#refuse('badResponse', new Error('the head of its response has what cannot be passed on'))
    } else if (reply.open(status, headers)) {
      relayBody(answer, reply, () => {})
    }
  }

  #failed(error: Error): void {
    if (this.#link !== undefined) {
      this.#brokeOff(error)
      if (isTooBig(error)) this.#link.close(TOO_BIG, 'a message is too big')
      else this.#link.close(ABNORMAL, '')
      return
    }
    const key = handshakeFailure(error)
    if (key === 'unreachable' || key === 'untrusted') this.service.pool.failed(this.#upstream!, error)
    this.#refuse(key, error)
  }

  /** Once: the client's side is told, and gone after that. */
  #brokeOff(error: Error & { code?: string }): void {
    if (this.#link === undefined) return
    const { id } = this.client.join
    const { log } = this.service.host
    log.warn({ id, upstream: this.#upstream?.url, code: error.code, why: error.message }, 'a WebSocket broke off')
  }

  #refuse(key: FailureKey, error: Error & { code?: string }): void {
    const { host, timeouts } = this.service
    const { reply, join } = this.client
    if (reply.isOver) return
    const { id } = join
    host.log.warn(
      { id, upstream: this.#upstream?.url, code: error.code, why: error.message },
      'no WebSocket to an upstream',
    )
    const seconds = (timeouts.connect + timeouts.response) / 1000
    const refusal = host.refuse(key, { id, seconds, found: 'characters that have no place there' })
    // A client must not take the part of an answer that has begun for all of it.
    if (!reply.give(refusal)) reply.cut()
    this.#socket?.terminate()
  }
}

/** What `ws` says of a handshake that failed has no code. */
function handshakeFailure(error: Error & { code?: string }): FailureKey {
  if (error.code !== undefined) return failureOf(error)
  return /timed out/.test(error.message) ? 'responseTimeout' : 'badResponse'
}

/** The upstream has been told by `ws`. */
function isTooBig({ code }: Error & { code?: string }): boolean {
  return code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
}
