import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import httpProxy from 'http-proxy'
import type { Body, Join, Reply } from '../../../gateway/host/plugin-api.js'
import { clientSide } from './http-proxy-adapter.js'
import { Copies } from '../relay/copying-writer.js'
import type { Member } from '../service/connection-set.js'
import { failureOf, isReset, Late } from '../relay/upstream-error.js'
import type { FailureKey } from '../failures.js'
import { type RequestHeaders, responseHeaders } from '../headers/request-headers.js'
import { pour } from '../relay/relay-body.js'
import { SenderLines } from './sender-lines.js'
import type { Service } from '../service/service.js'
import type { Upstream } from '../pool/upstream.js'

/** The request as it is sent on. */
export interface Outgoing {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: RequestHeaders
  /** What upstreams are chosen by; undefined when they take turns. */
  readonly key: string | undefined
}

/** The client that asks, and waits for the answer. */
export interface Client {
  readonly body: Body
  readonly reply: Reply
  readonly join: Join
}

/** So many upstreams are tried, while none has been sent anything. */
const MOST_TRIES = 3
/** Bytes that an upstream has not taken. More than one read brings, so that one that keeps up never pauses the client. */
const MOST_PENDING = 512 * 1024
const FEW_PENDING = 128 * 1024

/** Methods that may be sent again when nobody knows whether the first one has arrived: RFC 9110, section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** What a sender reads whose name has moved while it waited. */
const MOVED = '[ERROR] Transfer failed: this name belongs to another relay now; send again.\n'

/** So many upstreams may die under a receiver that waits. */
const MOST_LOST = 3

/** What is waited for. */
type Phase = 'connect' | 'request' | 'response' | 'stream'

const proxy = httpProxy.createProxyServer({ toProxy: true, prependPath: false, selfHandleResponse: true })

/** One request on its way to an upstream, and the answer on its way back. */
export class Forwarding implements Member {
  place = -1
  #phase: Phase = 'connect'
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #upstream: Upstream | undefined
  #tries = 0
  /** When it has taken too long, on the clock of the host. */
  #until = Number.POSITIVE_INFINITY
  /** Bytes have moved since the last tick. */
  #moved = false
  /** Something of the request may have reached the upstream. */
  #sent = false
  /** All of the client's body has been handed on. */
  #uploaded = false
  #lost = 0
  #isPaused = false
  /** Of a sender to a pipegate. */
  #lines: SenderLines | undefined
  /** The answer has broken off, and must not end as if it had not. */
  #isBroken = false
  #over = false

  constructor(
    readonly service: Service,
    readonly outgoing: Outgoing,
    readonly client: Client,
  ) {}

  start(): void {
    const { body, join } = this.client
    this.service.running.add(this)
    join.onOver(() => this.#end())
    this.#uploaded = body.length === 0
    const { pool } = this.service
    const upstream = pool.pick(this.outgoing.key)
    if (upstream === undefined) this.#refuse('noUpstream', new Error(pool.why))
    else this.#try(upstream)
  }

  /** Looks whether it has taken too long. */
  tick(now: number): void {
    const { timeouts } = this.service
    if (this.#moved) {
      this.#moved = false
      if (this.#phase === 'request' || this.#phase === 'stream') this.#until = now + timeouts.idle
    }
    if (now < this.#until) return
    this.#until = Number.POSITIVE_INFINITY
    if (this.#phase === 'connect') this.#late('connectTimeout', timeouts.connect)
    else if (this.#phase === 'response') this.#late('responseTimeout', timeouts.response)
    else if (this.#phase === 'request') this.#late(this.#isPaused ? 'responseTimeout' : 'requestTimeout', timeouts.idle)
    else this.#broken(new Late('responseTimeout', timeouts.idle / 1000))
  }

  /**
   * The upstreams have changed. Who waits on a pipegate to which its name does not belong any more waits for nobody: the other side
   * goes elsewhere. A receiver is taken along, and a sender, of whom that pipegate may hold some bytes, is told to come again. A
   * stream that flows stays where it is.
   */
  reconsider(): void {
    const { key } = this.outgoing
    const next = key === undefined ? undefined : this.service.pool.pick(key)
    if (next === undefined || next === this.#upstream || !this.#sent || this.#over) return
    if (this.#waitsForStream) this.#try(next)
    else if (this.#lines?.waits) {
      this.client.reply.write(MOVED)
      this.#cut()
    }
  }

  /** It is a receiver of a pipe, and has heard nothing: another pipegate can be asked just as well. */
  get #waitsForStream(): boolean {
    const { key, method } = this.outgoing
    return key !== undefined && method === 'GET' && this.client.body.length === 0 && this.#response === undefined
  }

  #late(key: FailureKey, ms: number): void {
    this.#request?.destroy(new Late(key, ms / 1000))
  }

  #await(phase: Phase): void {
    const { connect, response, idle } = this.service.timeouts
    this.#phase = phase
    this.#until = this.service.host.now() + { connect, response, request: idle, stream: idle }[phase]
  }

  #try(upstream: Upstream, isFresh = false): void {
    const { service, outgoing } = this
    const before = this.#request
    this.#request = undefined
    before?.destroy()
    this.#tries++
    this.#sent = false
    this.#upstream = upstream
    this.#await('connect')
    const { kept, fresh } = service.agentsFor(upstream)
    const { protocol, port, serverName } = upstream
    const host = upstream.host.includes(':') ? `[${upstream.host}]` : upstream.host
    let sent: ClientRequest | undefined
    const send = (it: ClientRequest) => {
      sent = it
      this.#send(it)
    }
    const [request, response] = clientSide({ ...outgoing, headers: this.#headers(upstream), send })
    const target = { protocol, port, host, hostname: upstream.host }
    // An empty name: Node would take the one in the Host header, and check the certificate against what the client wrote.
    const ssl = protocol === 'https:' ? { servername: serverName ?? '' } : undefined
    try {
      proxy.web(request, response, { target, agent: isFresh ? fresh : kept, ...(ssl && { ssl }) }, (error) => {
        if (sent === this.#request) this.#failed(error)
      })
    } catch (error) {
      // Node takes neither every path nor every header that uWebSockets takes.
      this.#refuse('badRequest', error as Error, {
        found: 'characters in its path or its headers that have no place there',
      })
    }
  }

  #headers({ host, port, serverName, protocol }: Upstream): RequestHeaders {
    const { headers } = this.outgoing
    if (this.service.config.hostHeader === 'client' && headers.host !== undefined) return headers
    const name = serverName ?? (host.includes(':') ? `[${host}]` : host)
    const isUsual = port === (protocol === 'https:' ? 443 : 80)
    return { ...headers, host: isUsual ? name : `${name}:${port}` }
  }

  #send(request: ClientRequest): void {
    const { body } = this.client
    this.#request = request
    // http-proxy takes a DELETE or OPTIONS with a chunked body for one without, and its body would be the next request.
    if (body.length === undefined) request.removeHeader('content-length')
    if (body.length === undefined) request.setHeader('transfer-encoding', 'chunked')
    request.on('response', (response) => {
      if (request === this.#request) this.#answered(response)
    })
    // Without a word otherwise: Node destroys the request when its answer is an upgrade that nobody has asked for.
    request.on('close', () => {
      if (this.#over || this.#response !== undefined || request !== this.#request) return
      this.#failed(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    })
    request.on('socket', (socket) => {
      // Nothing is read of the client before somebody listens: until then another upstream can be tried.
      if (!socket.connecting) this.#connected(request)
      else
        socket.once(this.#upstream!.protocol === 'https:' ? 'secureConnect' : 'connect', () => this.#connected(request))
    })
    if (body.length === 0) request.end()
  }

  #connected(request: ClientRequest): void {
    if (this.#over || request.destroyed || request !== this.#request) return
    this.#sent = true
    this.#tries = 0
    const { body } = this.client
    if (body.length === 0) {
      this.#await('response')
      return
    }
    this.#await('request')
    const copies = new Copies(request, () => this.#taken(copies))
    body.read(
      (bytes) => this.#upload(request, copies, bytes),
      () => {
        this.#uploaded = true
        if (this.#phase === 'request') this.#await('response')
        copies.flush()
        request.end()
      },
    )
    // What the client sends may come much later.
    if (!request.headersSent) request.flushHeaders()
  }

  #upload(request: ClientRequest, copies: Copies, bytes: Uint8Array): void {
    if (request.destroyed) return
    this.#moved = true
    copies.write(bytes)
    if (this.#isPaused || copies.pending < MOST_PENDING) return
    this.#isPaused = true
    this.client.body.pause()
  }

  /** The upstream's connection has taken some bytes. */
  #taken({ pending }: Copies): void {
    this.#moved = true
    if (!this.#isPaused || pending > FEW_PENDING || this.#over) return
    this.#isPaused = false
    this.client.body.resume()
  }

  #answered(response: IncomingMessage): void {
    const { reply } = this.client
    if (this.#goesElsewhere(response)) return
    this.#response = response
    response.on('error', (error) => this.#broken(error))
    if (this.#over) return
    this.service.pool.worked(this.#upstream!)
    const headers = responseHeaders(response.rawHeaders)
    const status = response.statusCode!
    const length = lengthOf(response)
    const isHttp1 = response.httpVersionMajor === 1
    if (headers === undefined || !isHttp1 || status < 200 || status > 599 || length === null) {
      this.#refuse('badResponse', new Error('the head of its response has what cannot be passed on'))
      this.#request?.destroy()
      return
    }
    this.#await('stream')
    response.on('end', () => this.#ended())
    response.on('close', () => {
      if (!response.complete) this.#broken(new Error('closed before the end'))
    })
    if (!reply.open(status, headers, length)) return
    if (this.outgoing.key !== undefined && isUpload(this.outgoing.method)) this.#lines = new SenderLines()
    pour(response, reply, (bytes) => {
      this.#moved = true
      this.#lines?.add(bytes)
    })
  }

  /** A pipegate that shuts down has said so: it gets no more, and a receiver can wait at another one. */
  #goesElsewhere({ statusCode, headers }: IncomingMessage): boolean {
    const { service, outgoing } = this
    if (!service.byName || statusCode !== 503 || headers['x-pipe-code'] !== 'SHUTTING_DOWN') return false
    const { pool } = service
    const upstream = this.#upstream!
    pool.leaves(upstream)
    // That may have been told to all who wait, and this one be on its way.
    if (upstream !== this.#upstream) return true
    const other = this.#waitsForStream ? pool.pick(outgoing.key) : undefined
    if (other !== undefined) this.#try(other)
    return other !== undefined
  }

  /** The whole answer has come. What the client still sends is nobody's business any more. */
  #ended(): void {
    if (this.#isBroken) return
    this.client.reply.close()
    if (!this.#uploaded) this.#request?.destroy()
  }

  /** The upstream has failed in the middle of its answer. */
  #broken(error: Error): void {
    if (this.#over || this.#isBroken) return
    this.#isBroken = true
    this.#log(error, 'an answer broke off')
    this.#cut()
  }

  /** What has been written leaves at the end of this turn, and says why. */
  #cut(): void {
    setImmediate(() => this.client.reply.cut())
  }

  #failed(error: Error): void {
    if (this.#over) return
    if (this.#response !== undefined) {
      // Node goes on to call an answer complete that ends with its connection, however that ends.
      if (!this.#response.complete) this.#broken(error)
      return
    }
    const upstream = this.#upstream!
    const request = this.#request
    const isStale = request?.reusedSocket === true && this.#phase !== 'connect' && isReset(error)
    if (isStale && this.client.body.length === 0 && IDEMPOTENT.has(this.outgoing.method)) {
      // An idle connection that the upstream closed while this was on its way.
      this.#try(upstream, true)
      return
    }
    const key = failureOf(error)
    // What happens to a request that has been sent may be the client's doing, who must not take an upstream out with it.
    if (!this.#sent && key !== 'badResponse') this.service.pool.failed(upstream, error)
    // All who wait there may have been taken elsewhere, this one too.
    if (upstream !== this.#upstream) return
    const waited = key === 'reset' && this.#sent && this.#waitsForStream && this.#lost++ < MOST_LOST
    const mayTry = waited || (!this.#sent && this.#tries < MOST_TRIES)
    const next = mayTry ? this.service.pool.pick(this.outgoing.key) : undefined
    if (next === undefined || (next === upstream && !waited)) this.#refuse(key, error)
    else this.#try(next)
  }

  #refuse(key: FailureKey, error: Error, values: Record<string, string> = {}): void {
    const { reply, join } = this.client
    if (this.#over) return
    this.#log(error, 'a request could not be forwarded')
    const seconds = error instanceof Late ? error.seconds : 0
    reply.give(this.service.host.refuse(key, { id: join.id, seconds, ...values }))
  }

  #log(error: Error & { code?: string }, message: string): void {
    const { id } = this.client.join
    this.service.host.log.warn({ id, upstream: this.#upstream?.url, code: error.code, why: error.message }, message)
  }

  /** The client has its answer, or has gone. */
  #end(): void {
    this.#over = true
    this.service.running.remove(this)
    if (this.#uploaded && this.#response?.complete === true) this.#response.resume()
    else this.#request?.destroy()
  }
}

function isUpload(method: string): boolean {
  return method === 'PUT' || method === 'POST'
}

/** Null when it is none. */
function lengthOf({ headers }: { readonly headers: OutgoingHttpHeaders }): number | undefined | null {
  const found = headers['content-length']
  if (found === undefined || headers['transfer-encoding'] !== undefined) return undefined
  const length = /^\d{1,15}$/.test(String(found)) ? Number(found) : Number.NaN
  return Number.isNaN(length) ? null : length
}
