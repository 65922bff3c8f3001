import { createHash } from 'node:crypto'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TlsOptions } from '../certificates.js'

/** How a response ended: as its framing says, before that, or never begun. */
export type End = 'complete' | 'cut' | 'failed'

/** So much of a response is kept as text, in bytes. */
const KEPT_BYTES = 65_536
const LOOK_EVERY_MS = 5

/**
 * One request on a connection of its own, sent piece by piece, and what has come back so far. Nothing here rejects: how it
 * went is there to be looked at.
 */
export class Call {
  status: number | undefined
  headers: IncomingMessage['headers'] = {}
  /** The first bytes of the response, as Latin-1. */
  text = ''
  /** Of the response's body. */
  bytes = 0
  end: End | undefined
  /** Why there is no response, for people; empty unless it `failed`. */
  why = ''
  /** `performance.now()` when `100 Continue` came, and when the response was over. */
  continuedAt: number | undefined
  endedAt: number | undefined
  readonly #hash = createHash('sha256')
  readonly #request: ClientRequest
  #response: IncomingMessage | undefined
  #isPaused = false

  constructor(url: URL, method: string, headers: Readonly<Record<string, string | number>>, tls: TlsOptions = {}) {
    const { request } = url.protocol === 'https:' ? https : http
    // As clients do: who says "close" is treated otherwise by some servers.
    const all = { connection: 'keep-alive', ...headers }
    this.#request = request(url, { method, headers: all, agent: false, ...tls })
    this.#request.on('response', (response) => this.#read(response))
    this.#request.on('continue', () => {
      this.continuedAt = performance.now()
    })
    this.#request.on('error', (error: NodeJS.ErrnoException) => this.#over('failed', error.code ?? error.message))
    this.#request.on('close', () => this.#over('failed', 'the connection was closed'))
    if (method === 'GET') this.#request.end()
    else this.#request.flushHeaders()
  }

  /** Of all bytes of the body so far, in hexadecimal. */
  get sha256(): string {
    return this.#hash.copy().digest('hex')
  }

  /** The last line of the server, for people. */
  get lastLine(): string {
    return this.text.trimEnd().split('\n').at(-1) ?? ''
  }

  /** Resolves when there is room for more, or nobody who would take it. */
  write(bytes: Uint8Array | string): Promise<void> {
    const request = this.#request
    if (request.destroyed || request.write(bytes)) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        request.off('drain', done).off('close', done)
        resolve()
      }
      request.on('drain', done).on('close', done)
    })
  }

  /** No more will be written. */
  finish(): void {
    this.#request.end()
  }

  /** Reads nothing until `resume`, so that whoever sends meets backpressure. */
  pause(): void {
    this.#isPaused = true
    this.#response?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#response?.resume()
  }

  /** Goes without a word. */
  leave(): void {
    this.#request.destroy()
  }

  #read(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    this.#response = response
    response.on('data', (chunk: Buffer) => {
      this.#hash.update(chunk)
      if (this.bytes < KEPT_BYTES) this.text += chunk.toString('latin1')
      this.bytes += chunk.length
    })
    response.on('error', () => {})
    if (this.#isPaused) response.pause()
    response.on('close', () => this.#over(response.complete ? 'complete' : 'cut', ''))
  }

  #over(end: End, why: string): void {
    // A request is told of an error before its response is.
    if (this.end !== undefined || (this.status !== undefined && end === 'failed')) return
    this.end = end
    this.why = why
    this.endedAt = performance.now()
  }
}

/** Whether this became true in time. */
export async function until(fact: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const late = performance.now() >= deadline
    if (fact()) return true
    if (late) return false
    await sleep(LOOK_EVERY_MS)
  }
}

/** Ends these without waiting for their responses. */
export function leave(...calls: readonly Call[]): void {
  for (const call of calls) call.leave()
}

/** In hexadecimal, to compare with {@link Call.sha256}. */
export function sha256(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}
