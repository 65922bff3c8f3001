import { createHash } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { TimedOut } from '../screen/ending.js'
import { lost, type Place, responseTo, send } from '../wire/exchange.js'
import { asSentence, ConnectionLost, refusal } from '../wire/failures.js'
import type { ServerStatus } from '../wire/server-status.js'
import { lineSplitter, readStatusLine, type StatusLine } from '../wire/status-lines.js'
import { KEPT_CHUNKS, type Outgoing } from './what/outgoing.js'

export interface TurnOptions {
  readonly place: Place
  readonly status: ServerStatus
  readonly outgoing: Outgoing
  /** Parameters of the request besides its transfer id. */
  readonly mode: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly transferId: string
  /** Milliseconds after which it is given up when the server has not let it begin. Infinity: never. */
  readonly patienceMs: number
  /** Compare the server's digest with our own. */
  readonly isVerified: boolean
  readonly signal: AbortSignal
  readonly on: (news: SendNews) => void
}

export type SendNews =
  | { readonly event: 'waiting'; readonly receivers: number; readonly wanted: number | undefined }
  | { readonly event: 'streaming'; readonly receivers: number }
  | { readonly event: 'left' | 'looked' | 'uploaded' }
  | { readonly event: 'bytes'; readonly bytes: number }

/** The transfer had begun, and did not end well: the bytes cannot be taken back. `message` is for people. */
export class TransferFailed extends Error {}

export interface Sent {
  readonly bytes: number
  readonly seconds: number
  readonly receivers: number
  /** Both digests are this one; undefined when there was nothing to compare. */
  readonly sha256: string | undefined
}

/** After so long without a line the server is asked how things are: a proxy may hold the lines back. */
const SILENT_MS = 4000

/**
 * One request that sends. The body is kept back until the server says that a receiver is there: so a place can be taken again and
 * again, by a proxy that cuts silence too, and nothing is lost of what can be read only once.
 */
export class Turn {
  bytes = 0
  #receivers = 0
  #hasBegun = false
  #digest: string | undefined
  #isComplete = false
  /** All of it has been given to the connection. */
  #isWhole = false
  #error: string | undefined
  #begin!: () => void
  readonly #mayBegin = new Promise<void>((resolve) => {
    this.#begin = resolve
  })
  readonly #hash

  constructor(readonly options: TurnOptions) {
    this.#hash = options.isVerified ? createHash('sha256') : undefined
  }

  /** The body has begun: another turn would send it twice. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** @throws TimedOut, RequestRefused, ConnectionLost, TransferFailed */
  async run(): Promise<Sent> {
    const { place, mode, headers, transferId, signal } = this.options
    const request = send(place, { method: 'PUT', mode: `${mode}&transfer=${transferId}`, headers, signal })
    const ended = this.#answer(request)
    // It is looked at below, whoever is first.
    ended.catch(() => {})
    const silence = this.#lookWhenSilent()
    const late = this.#giveUpLate(request)
    try {
      await Promise.race([this.#mayBegin, ended.then(() => this.#onlyAfterBeginning())])
      clearInterval(silence)
      clearTimeout(late)
      const beganAt = performance.now()
      this.#hasBegun = true
      await Promise.race([this.#body(request), ended])
      await this.#settled(ended)
      return {
        bytes: this.bytes,
        seconds: (performance.now() - beganAt) / 1000,
        receivers: this.#receivers,
        sha256: this.#verified(),
      }
    } catch (error) {
      if (this.#hasBegun && error instanceof ConnectionLost) throw new TransferFailed(asSentence(error))
      throw error
    } finally {
      clearInterval(silence)
      clearTimeout(late)
      request.destroy()
    }
  }

  #giveUpLate(request: ClientRequest): NodeJS.Timeout | undefined {
    const { patienceMs } = this.options
    // A timer takes no longer time than this.
    if (patienceMs > 0x7fffffff) return undefined
    return setTimeout(
      () => request.destroy(new TimedOut('Timed out waiting for receivers: the server says nothing.')),
      patienceMs,
    )
  }

  #onlyAfterBeginning(): void {
    if (this.#error === undefined) throw new ConnectionLost('the server ended the request before a receiver had come')
    if (/^Timed out/i.test(this.#error)) throw new TimedOut(this.#error)
    throw new TransferFailed(this.#error)
  }

  /** Reads the lines to their end. */
  async #answer(request: ClientRequest): Promise<void> {
    const response = await responseTo(request)
    if (response.statusCode !== 200) throw await refusal(response, '')
    if (!/^text\/plain\b/i.test(response.headers['content-type'] ?? 'text/plain')) {
      response.destroy()
      throw new ConnectionLost('what is there is no pipe server: it answers an upload with something else')
    }
    await this.#lines(response)
  }

  async #lines(response: IncomingMessage): Promise<void> {
    response.setEncoding('utf8')
    const read = lineSplitter((line) => this.#line(readStatusLine(line)))
    try {
      for await (const text of response) read(text)
    } catch (error) {
      // A failed transfer is cut after its line, so that nobody takes it for a whole one.
      if (this.#error === undefined) throw lost(error as Error)
    }
  }

  #line(line: StatusLine): void {
    const { on } = this.options
    switch (line.kind) {
      case 'waiting':
        on({ event: 'waiting', receivers: line.receivers, wanted: line.wanted })
        return
      case 'streaming':
        this.#receivers = line.receivers
        on({ event: 'streaming', receivers: line.receivers })
        this.#begin()
        return
      case 'left':
        this.#receivers = Math.max(0, this.#receivers - 1)
        on({ event: 'left' })
        return
      case 'looked':
      case 'uploaded':
        on({ event: line.kind })
        return
      case 'sha256':
        this.#digest = line.digest
        return
      case 'complete':
        this.#isComplete = true
        return
      case 'error':
        this.#error = line.text
        return
      case 'other':
    }
  }

  /**
   * Some proxies hold an answer back until the upload is over, so that nobody hears that a receiver has come; and some hold the
   * upload back until it is whole, so that the server does not even know of us. The first is seen in the status; to the second
   * the body is given as it wants it.
   */
  #lookWhenSilent(): NodeJS.Timeout {
    let isHeard = false
    void this.#mayBegin.then(() => {
      isHeard = true
    })
    return setInterval(async () => {
      const { status, transferId } = this.options
      const now = await status.now()
      if (isHeard || now === undefined) return
      const isOurs = now.transferId === transferId
      if (isOurs && now.state !== 'streaming') return
      if (isOurs || now.state === 'idle' || !now.hasSender) this.#begin()
    }, SILENT_MS)
  }

  async #body(request: ClientRequest): Promise<void> {
    let underWay = 0
    let wake: (() => void) | undefined
    const written = () => {
      underWay--
      wake?.()
    }
    request.once('close', () => wake?.())
    for await (const chunk of this.options.outgoing.open()) {
      if (request.destroyed) return
      underWay++
      request.write(chunk, written)
      this.#hash?.update(chunk)
      this.bytes += chunk.length
      // Closing the source takes a moment, in which the server may already say that it has all of it.
      this.#isWhole = this.bytes === this.options.outgoing.length
      this.options.on({ event: 'bytes', bytes: this.bytes })
      while (underWay >= KEPT_CHUNKS && !request.destroyed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    this.#isWhole = true
    request.end()
    await new Promise<never>(() => {})
  }

  /** The answer is over: was it good? */
  async #settled(ended: Promise<void>): Promise<void> {
    let why: string | undefined
    try {
      await ended
      why = this.#error
    } catch (error) {
      // The last word may have been lost on its way; the server remembers it.
      const receipt = await this.options.status.of(this.options.transferId)
      if (receipt?.state === 'complete') return this.#refuseEarlyEnd()
      if (!(error instanceof ConnectionLost)) throw error
      why = receipt?.message ?? asSentence(error, ' before the server said that all of it has arrived')
    }
    if (why !== undefined) throw new TransferFailed(why)
    if (!this.#isComplete) throw new TransferFailed('The server did not say that all of it has arrived.')
    this.#refuseEarlyEnd()
  }

  #refuseEarlyEnd(): void {
    if (this.#isWhole) return
    throw new TransferFailed(`The server said that all of it has arrived when only ${this.bytes} bytes had been sent.`)
  }

  #verified(): string | undefined {
    if (this.#hash === undefined || this.#digest === undefined) return undefined
    const own = this.#hash.digest('hex')
    if (own === this.#digest) return own
    throw new TransferFailed('The server has got other bytes than were sent: their SHA-256 differ.')
  }
}
