import { Backoff } from '../body/backoff.js'
import type { ResponseBody } from '../body/response-body.js'
import type { HttpExchange } from '../connection/http-exchange.js'

/**
 * Room for the response of a request that is paused now and then, where the native helper is off. uWebSockets does not poll a paused
 * connection, not even for room, and one that is resumed only for what another one was polled for when that was paused: two peers that
 * hold each other would wait for ever. So it is tried again and again. And a write that fails makes uWebSockets read on, so the pause is
 * repeated.
 */
export class PausedRoom {
  #asks = false
  readonly #backoff = new Backoff()

  constructor(
    readonly exchange: HttpExchange,
    readonly request: { readonly isPaused: boolean },
    readonly body: ResponseBody,
    readonly tryAgain: () => void,
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
    if (this.exchange.over || !this.body.blocked) return
    this.body.unblock()
    this.tryAgain()
  }
}
