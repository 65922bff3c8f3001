import { Backoff } from '../body/backoff.js'
import type { HttpExchange } from '../connection/http-exchange.js'

/** A response that is blocked while its request may be paused. */
export interface BlockedResponse {
  readonly isBlocked: boolean
  /** Tries to write. */
  tryAgain(): void
}

/**
 * Room for the response of a request that is paused, where the native helper is off. uWebSockets does not poll a paused connection,
 * not even for room: two peers that hold each other would wait for ever. So it is tried again and again. And a write that fails makes
 * uWebSockets read on, so the pause is repeated.
 */
export class PausedRoom {
  #asks = false
  readonly #backoff = new Backoff()

  constructor(
    readonly exchange: HttpExchange,
    readonly request: { readonly isPaused: boolean },
    readonly response: BlockedResponse,
  ) {}

  await(): void {
    const { exchange, request } = this
    if (request.isPaused) exchange.res.pause()
    if (this.#asks) return
    this.#asks = true
    this.#backoff.retry(() => this.#ask())
  }

  #ask(): void {
    this.#asks = false
    if (this.exchange.over || !this.response.isBlocked) return
    if (this.request.isPaused) this.response.tryAgain()
    else this.await()
  }
}
