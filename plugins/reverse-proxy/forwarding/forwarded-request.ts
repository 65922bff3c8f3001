import type { ClientRequest, IncomingMessage } from 'node:http'
import type { FailureKey } from '../failures.js'
import { authoritiesOf, type Upstream } from '../pool/upstream.js'
import type { OutgoingRequest } from '../relay/outgoing-request.js'
import { relayBody } from '../relay/relay-body.js'
import { failureOf, isReset, UpstreamTimeout } from '../relay/upstream-error.js'
import type { ActiveRequest, Service } from '../service/service.js'
import type { Client } from './client.js'
import { PhaseTimer } from './phase-timer.js'
import { isRepeatable } from './repeatable.js'
import { RequestUpload } from './request-upload.js'
import { readResponseHead } from './response-head.js'
import { ReusedConnection } from './reused-connection.js'
import { isUpload, MOVED, SenderLines } from './sender-lines.js'
import { senderWaits } from './sender-wait.js'
import { openUpstreamRequest } from './upstream-request.js'

/** How many upstreams are tried, while none has been sent anything. */
const MAX_TRIES = 3

/** How many upstreams may die under a receiver that waits. */
const MAX_LOST = 3

/** One request on its way to an upstream, and the answer on its way back. */
export class ForwardedRequest implements ActiveRequest {
  index = -1
  readonly #timer: PhaseTimer
  readonly #upload: RequestUpload
  /** Nothing is done twice by sending it twice. */
  readonly #mayRepeat: boolean
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #upstream: Upstream | undefined
  #tries = 0
  /** Upstreams that have died under it while it waited. */
  #lost = 0
  /** Something of the request may have reached the upstream. */
  #sent = false
  /** The connection, if it has served others before. */
  #reused: ReusedConnection | undefined
  /** Of a sender to a pipegate. */
  #lines: SenderLines | undefined
  /** The answer has broken off, and must not end as if it had not. */
  #isBroken = false
  #over = false

  constructor(
    readonly service: Service,
    readonly outgoing: OutgoingRequest,
    readonly client: Client,
  ) {
    this.#timer = new PhaseTimer(service)
    this.#mayRepeat = isRepeatable(outgoing)
    this.#upload = new RequestUpload(client.body, this.#timer, service.host.gateway.countHeld())
  }

  start(): void {
    const { pool, requests } = this.service
    requests.add(this)
    this.client.join.onOver(() => this.#end())
    const upstream = pool.pick(this.outgoing.key)
    if (upstream === undefined) this.#refuse('noUpstream', new Error(pool.why))
    else this.#try(upstream)
  }

  tick(now: number): void {
    if (!this.#timer.tick(now)) return
    const { connect, response, idle } = this.service.timeouts
    const { phase } = this.#timer
    if (phase === 'connect') this.#timeOut('connectTimeout', connect)
    else if (phase === 'response') this.#timeOut('responseTimeout', response)
    else if (phase === 'request') this.#timeOut(this.#upload.isPaused ? 'responseTimeout' : 'requestTimeout', idle)
    else this.#broken(new UpstreamTimeout('responseTimeout', idle / 1000))
  }

  /**
   * A request that waits on a pipegate to which its name does not belong any more waits in vain: the other side goes elsewhere. A
   * receiver is sent to the new pipegate. A sender, of which the old pipegate may hold some bytes, is told to send again; one that
   * reads no lines only when the old pipegate says that it waits. A stream that flows stays where it is.
   */
  reconsider(): void {
    const { key } = this.outgoing
    const next = key === undefined ? undefined : this.service.pool.pick(key)
    if (next === undefined || next === this.#upstream || !this.#sent || this.#over) return
    if (this.#waitsForStream) this.#try(next)
    else if (this.#lines?.waits) {
      this.client.reply.write(MOVED)
      this.#cut()
    } else if (this.#response === undefined && isUpload(this.outgoing.method)) void this.#tellIfItWaits()
  }

  async #tellIfItWaits(): Promise<void> {
    const [request, upstream] = [this.#request, this.#upstream!]
    const { service, outgoing } = this
    const isSettled = () => this.#over || this.#response !== undefined || request !== this.#request
    if (!(await senderWaits(service, outgoing, upstream, isSettled)) || isSettled()) return
    if (service.pool.pick(outgoing.key) !== upstream)
      this.#refuse('moved', new Error('its name belongs to another one'))
  }

  /** It is a receiver of a pipe, and has heard nothing: another pipegate can be asked just as well. */
  get #waitsForStream(): boolean {
    const { key, method } = this.outgoing
    return key !== undefined && method === 'GET' && this.client.body.length === 0 && this.#response === undefined
  }

  #timeOut(key: FailureKey, ms: number): void {
    this.#request?.destroy(new UpstreamTimeout(key, ms / 1000))
  }

  #try(upstream: Upstream, isFresh = false): void {
    const { service, outgoing } = this
    const before = this.#request
    this.#request = undefined
    this.#reused = undefined
    before?.destroy()
    this.#upload.suspend()
    this.#tries++
    this.#sent = false
    this.#upstream = upstream
    this.#timer.enter('connect')
    let sent: ClientRequest | undefined
    const onRequest = (request: ClientRequest) => {
      sent = request
      this.#send(request)
    }
    const onError = (error: Error) => {
      if (sent === this.#request) this.#failed(error)
    }
    try {
      openUpstreamRequest({ service, outgoing, upstream, isFresh, onRequest, onError })
    } catch (error) {
      this.#refuse('badRequest', error as Error, {
        found: 'characters in its path or its headers that have no place there',
      })
    }
  }

  #send(request: ClientRequest): void {
    const { body } = this.client
    this.#request = request
    // http-proxy takes a DELETE or OPTIONS with a chunked body for one without, and its body would be the next request.
    if (body.length === undefined) {
      request.removeHeader('content-length')
      request.setHeader('transfer-encoding', 'chunked')
    }
    request.on('response', (response) => {
      if (request === this.#request) this.#answered(response)
    })
    // Not an error otherwise: Node destroys the request silently when its answer is an upgrade that nobody has asked for.
    request.on('close', () => {
      if (this.#over || this.#response !== undefined || request !== this.#request) return
      this.#failed(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    })
    request.on('socket', (socket) => {
      if (request.reusedSocket && request === this.#request) this.#reused = new ReusedConnection(socket)
      // The client is not read before the upstream is connected: until then another upstream can be tried.
      if (!socket.connecting) this.#connected(request)
      else
        socket.once(this.#upstream!.protocol === 'https:' ? 'secureConnect' : 'connect', () => this.#connected(request))
    })
    if (body.length === 0 && this.#mayRepeat) request.end()
  }

  /** @param isOpen it is certain that the upstream had not closed this connection before */
  #connected(request: ClientRequest, isOpen = false): void {
    if (this.#over || request.destroyed || request !== this.#request) return
    if (this.#reused !== undefined && !this.#mayRepeat && !isOpen) {
      this.#reused.afterPoll(() => this.#connected(request, true))
      return
    }
    this.#sent = true
    this.#tries = 0
    if (this.client.body.length === 0) {
      this.#timer.enter('response')
      if (!this.#mayRepeat) request.end()
      return
    }
    this.#timer.enter('request')
    this.#upload.start(request, this.#reused !== undefined && this.#mayRepeat)
  }

  #answered(response: IncomingMessage): void {
    const { reply } = this.client
    if (this.#goesElsewhere(response)) return
    this.#response = response
    this.#upload.answered()
    response.on('error', (error) => this.#broken(error))
    if (this.#over) return
    this.service.pool.succeeded(this.#upstream!)
    const { prefix, headers } = this.outgoing
    const head = readResponseHead(response, prefix, prefix === '' ? [] : authoritiesOf(this.#upstream!, headers.host))
    if (head === undefined) {
      this.#refuse('badResponse', new Error('the head of its response has what cannot be passed on'))
      this.#request?.destroy()
      return
    }
    this.#timer.enter('stream')
    response.on('end', () => this.#ended())
    response.on('close', () => {
      if (!response.complete) this.#broken(new Error('closed before the end'))
    })
    if (!reply.open(head.status, head.headers, head.length)) return
    if (this.outgoing.key !== undefined && isUpload(this.outgoing.method)) this.#lines = new SenderLines()
    relayBody(response, reply, (bytes) => {
      this.#timer.moved()
      this.#lines?.add(bytes)
    })
  }

  /** A pipegate that shuts down says so: it gets no more requests, and a receiver can wait at another one. */
  #goesElsewhere({ statusCode, headers }: IncomingMessage): boolean {
    const { service, outgoing } = this
    if (!service.byName || statusCode !== 503 || headers['x-pipe-code'] !== 'SHUTTING_DOWN') return false
    const { pool } = service
    const upstream = this.#upstream!
    pool.draining(upstream)
    // The pool may have told all requests that wait, and this one may be on its way already.
    if (upstream !== this.#upstream) return true
    const other = this.#waitsForStream ? pool.pick(outgoing.key) : undefined
    if (other !== undefined) this.#try(other)
    return other !== undefined
  }

  /** The whole answer has come. What the client still sends is not needed any more. */
  #ended(): void {
    if (this.#isBroken) return
    this.client.reply.close()
    if (!this.#upload.isComplete) this.#request?.destroy()
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
    if (this.#isStale(error)) {
      this.#try(upstream, true)
      return
    }
    const key = failureOf(error)
    // What happens to a request that has been sent may be the client's doing: a client must not take an upstream out.
    if (!this.#sent && key !== 'badResponse') this.service.pool.failed(upstream, error)
    // All requests that wait there may have been taken elsewhere, this one too.
    if (upstream !== this.#upstream) return
    const waited = key === 'reset' && this.#sent && this.#waitsForStream && this.#lost++ < MAX_LOST
    const mayTry = waited || (!this.#sent && this.#tries < MAX_TRIES)
    const next = mayTry ? this.service.pool.pick(this.outgoing.key) : undefined
    if (next === undefined || (next === upstream && !waited)) this.#refuse(key, error)
    else this.#try(next)
  }

  /** An idle connection that the upstream closed while this request was on its way; the request may be sent again. */
  #isStale(error: Error): boolean {
    if (this.#reused === undefined || !isReset(error) || this.#reused.hasAnswered) return false
    if (!this.#sent || (!this.#upload.isBegun && this.client.body.length !== 0)) return true
    return this.#mayRepeat && this.#upload.canStartAgain
  }

  #refuse(key: FailureKey, error: Error, values: Record<string, string> = {}): void {
    const { reply, join } = this.client
    if (this.#over) return
    this.#log(error, 'a request could not be forwarded')
    const seconds = error instanceof UpstreamTimeout ? error.seconds : 0
    reply.give(this.service.host.refuse(key, { id: join.id, seconds, ...values }))
  }

  #log(error: Error & { code?: string }, message: string): void {
    const { id } = this.client.join
    this.service.host.log.warn({ id, upstream: this.#upstream?.url, code: error.code, why: error.message }, message)
  }

  /** The client has its answer, or has gone. */
  #end(): void {
    this.#over = true
    this.#upload.stop()
    this.service.requests.remove(this)
    if (this.#upload.isComplete && this.#response?.complete === true) this.#response.resume()
    else this.#request?.destroy()
  }
}
